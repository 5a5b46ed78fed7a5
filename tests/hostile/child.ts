import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const REGISTER = pathToFileURL(join(import.meta.dirname, 'register-typescript.mjs')).href;
const MAX_KEPT_OUTPUT = 4_000;

/** The messages between the judge and its processes. */
export interface ChildMessage {
  readonly type: string;
  readonly value?: unknown;
}

/** A process of the harness: an attacker, or the honest client. It ends with this one. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  #output = '';

  /** @param file in this folder */
  constructor(private readonly file: string) {
    this.#process = fork(join(import.meta.dirname, file), [], {
      execArgv: ['--import', REGISTER],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-MAX_KEPT_OUTPUT);
      });
    }
    this.#exited = new Promise((resolve) => this.#process.once('exit', () => resolve()));
  }

  send(type: string, value?: unknown): void {
    if (this.#process.connected) this.#process.send({ type, value } satisfies ChildMessage);
  }

  /**
   * The next note of this type.
   *
   * @throws {Error} when the process ends first, or after `patienceMs`
   */
  async receive(type: string, timeoutMs: number): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    let take: ((note: ChildMessage) => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const fail = (what: string) => reject(new Error(`${this.file} ${what}:\n${this.#output}`));
        take = (note) => {
          if (note.type === type) resolve(note.value);
          if (note.type === 'failed') fail(`failed: ${String(note.value)}`);
        };
        this.#process.on('message', take);
        void this.#exited.then(() => fail('ended'));
        timer = setTimeout(() => fail(`said nothing of "${type}" for ${timeoutMs} ms`), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
      if (take !== undefined) this.#process.off('message', take);
    }
  }

  /** Ends it at once, with all of its connections. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }
}

/** In the child: calls `work` with each note of the judge; ends with the judge. */
export function answerJudge(work: (note: ChildMessage) => Promise<void>): void {
  process.on('message', (note: ChildMessage) => {
    work(note).catch((error: unknown) => {
      sendToJudge('failed', error instanceof Error ? error.stack : String(error));
    });
  });
  process.on('disconnect', () => process.exit(0));
}

export function sendToJudge(type: string, value?: unknown): void {
  process.send?.({ type, value } satisfies ChildMessage);
}
