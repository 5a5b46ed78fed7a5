import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAX_OUTPUT_CHARACTERS = 4_000;
const STOP_TIMEOUT_MS = 5_000;

/** A child process, which is a server or a load generator and answers calls (see rpc.mjs). */
export class Child {
  #process;
  #name;
  #nextId = 1;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  #output = '';
  /** Called when there is more output, or none any more. @type {Set<() => void>} */
  #onOutput = new Set();
  #ended = false;
  #exited;

  /**
   * @param {string} file relative to bench/
   * @param {{ nodeOptions?: string[], env?: Record<string, string>, cwd?: string }} [options]
   */
  constructor(file, { nodeOptions = [], env = {}, cwd } = {}) {
    this.#name = file;
    this.#process = fork(fileURLToPath(new URL(`../${file}`, import.meta.url)), [], {
      execArgv: nodeOptions,
      env: { ...process.env, NODE_ENV: 'production', ...env },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.#output = (this.#output + text).slice(-MAX_OUTPUT_CHARACTERS);
        for (const look of this.#onOutput) look();
      });
    }
    this.#process.on('message', (/** @type {any} */ { id, result, error }) => {
      const call = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new Error(`${this.#name}: ${error}`));
    });
    this.#exited = new Promise((resolve) => {
      const ended = (/** @type {unknown} */ reason) => {
        this.#ended = true;
        for (const { reject } of this.#waiting.values()) {
          reject(new Error(`${this.#name} ended (${reason}). Its last output:\n${this.#output}`));
        }
        this.#waiting.clear();
        for (const look of this.#onOutput) look();
        resolve(undefined);
      };
      this.#process.once('error', ended);
      // 'close' is not emitted after the channel was closed from here. The delay is for the last output to arrive.
      this.#process.once('exit', (code, signal) => setTimeout(ended, 50, signal ?? `exit code ${code}`));
    });
  }

  /**
   * @param {string} method
   * @param {unknown} [params]
   * @param {number} [seconds] the timeout
   * @returns {Promise<any>}
   */
  call(method, params, seconds = 60) {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Error(`${this.#name} has ended. Its last output:\n${this.#output}`));
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`${this.#name}: ${method} took longer than ${seconds} s. Its last output:\n${this.#output}`));
      }, seconds * 1000);
      this.#waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#process.send({ id, method, params });
    });
  }

  /**
   * Waits for output that matches, from the start of the process on.
   *
   * @param {RegExp} pattern
   * @returns {Promise<RegExpExecArray>}
   */
  waitForOutput(pattern, seconds = 60) {
    return new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ why) =>
        reject(new Error(`${this.#name} ${why}. Its last output:\n${this.#output}`));
      const timer = setTimeout(() => {
        this.#onOutput.delete(look);
        fail(`did not write ${pattern} within ${seconds} s`);
      }, seconds * 1000);
      const look = () => {
        const found = pattern.exec(this.#output);
        if (found === null && !this.#ended) return;
        this.#onOutput.delete(look);
        clearTimeout(timer);
        if (found === null) fail('has ended');
        else resolve(found);
      };
      this.#onOutput.add(look);
      look();
    });
  }

  /** Stops the process. Never throws. */
  async stop() {
    if (this.#ended) return;
    const killTimer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    // The process exits by itself when the channel closes, so that it can write its profile if one was requested.
    if (this.#process.connected) this.#process.disconnect();
    await this.#exited;
    clearTimeout(killTimer);
  }
}
