import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const OUTPUT_KEPT = 4_000;
const STOP_PATIENCE_MS = 5_000;

/** One of our own processes: a server or a load generator, which answers calls (see rpc.mjs). */
export class Child {
  #process;
  #name;
  #nextId = 1;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  #output = '';
  #ended = false;
  #exited;

  /**
   * @param {string} file relative to bench/
   * @param {{ nodeOptions?: string[], env?: Record<string, string> }} [options]
   */
  constructor(file, { nodeOptions = [], env = {} } = {}) {
    this.#name = file;
    this.#process = fork(fileURLToPath(new URL(`../${file}`, import.meta.url)), [], {
      execArgv: ['--enable-source-maps', ...nodeOptions],
      env: { ...process.env, NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.#output = (this.#output + text).slice(-OUTPUT_KEPT);
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
        resolve(undefined);
      };
      this.#process.once('error', ended);
      // Not 'close': that never comes once the channel was closed from here. A moment, for the last output to arrive.
      this.#process.once('exit', (code, signal) => setTimeout(ended, 50, signal ?? `exit code ${code}`));
    });
  }

  /**
   * @param {string} method
   * @param {unknown} [params]
   * @param {number} [seconds] how long it may take
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

  /** Ends the process; never throws. */
  async stop() {
    if (this.#ended) return;
    const patience = setTimeout(() => this.#process.kill('SIGKILL'), STOP_PATIENCE_MS);
    // It exits by itself when the channel closes, and so gets to write its profile when one was asked for.
    if (this.#process.connected) this.#process.disconnect();
    await this.#exited;
    clearTimeout(patience);
  }
}
