import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { SqlRow, SqlValue } from './sql-client.js';
import type { StoreLog } from './store-config.js';

/** After so long without a read the thread ends, which gives its memory back. */
const IDLE_MS = 5_000;
/** The thread holds one row at a time. */
const MAX_HEAP_MB = 128;

/**
 * The program of the thread. It is a text, because a file of its own would have to be found from the sources, from the
 * compiled files and from the bundled package.
 */
const PROGRAM = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const Database = require(workerData.driver);
const database = new Database(workerData.filename, { readonly: true, fileMustExist: true, timeout: workerData.timeoutMs });
parentPort.on('message', ({ id, text, values }) => {
  try {
    for (const row of database.prepare(text).iterate(values)) parentPort.postMessage({ id, row });
    parentPort.postMessage({ id, outcome: 'done' });
  } catch {
    // The other side makes the read itself, and sees the error.
    parentPort.postMessage({ id, outcome: 'failed' });
  }
});
`;

/** A read that the thread has not made. The caller makes it itself. */
export class ThreadFailedError extends Error {
  override readonly name = 'ThreadFailedError';
}

interface PendingRead {
  /** One by one, because the event loop stands still while a message is unpacked. */
  readonly rows: SqlRow[];
  readonly resolve: (rows: SqlRow[]) => void;
  readonly reject: (error: ThreadFailedError) => void;
}

type Answer = { readonly id: number } & ({ readonly row: SqlRow } | { readonly outcome: 'done' | 'failed' });

/**
 * Reads large values of a SQLite database in a thread of its own, because better-sqlite3 blocks the thread that reads: a body of
 * 4 MB takes it 3 to 12 ms. The thread has a connection that can't write, starts with the first read, and never keeps the
 * process alive by itself.
 */
export class SqliteThread {
  readonly #pending = new Map<number, PendingRead>();
  #worker: Worker | undefined;
  #lastId = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly options: {
      readonly filename: string;
      /** How long a read waits for a lock. Milliseconds. */
      readonly timeoutMs: number;
      readonly log?: StoreLog | undefined;
      /** How long the thread stays without a read. Milliseconds; default 5,000. */
      readonly idleMs?: number | undefined;
    },
  ) {}

  /** Whether the thread runs. */
  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * Runs a SELECT. It sees all that was committed before.
   *
   * @throws {ThreadFailedError} when the statement failed, or the thread has ended or can't start
   */
  read(text: string, values: readonly SqlValue[]): Promise<SqlRow[]> {
    if (this.#isClosed) return Promise.reject(new ThreadFailedError('The thread is closed.'));
    clearTimeout(this.#idleTimer);
    return new Promise((resolve, reject) => {
      try {
        this.#worker ??= this.#start();
        this.#lastId += 1;
        this.#worker.postMessage({ id: this.#lastId, text, values });
        this.#pending.set(this.#lastId, { rows: [], resolve, reject });
        // Only while somebody waits for it.
        this.#worker.ref();
      } catch (error) {
        reject(new ThreadFailedError('The thread can’t be used.', { cause: error }));
      }
    });
  }

  /** Ends the thread. Reads that it has not made are rejected. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idleTimer);
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const driver = createRequire(import.meta.url).resolve('better-sqlite3');
    const { filename, timeoutMs } = this.options;
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: { driver, filename, timeoutMs },
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    worker.unref();
    worker.on('message', (answer: Answer) => this.#take(worker, answer));
    worker.on('error', (error) => this.#forget(worker, error));
    worker.on('exit', () => this.#forget(worker));
    return worker;
  }

  #take(worker: Worker, answer: Answer): void {
    const read = this.#pending.get(answer.id);
    if (read === undefined) return;
    if ('row' in answer) {
      read.rows.push(answer.row);
      return;
    }
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) {
      worker.unref();
      this.#endWhenIdle();
    }
    if (answer.outcome === 'done') read.resolve(read.rows);
    else read.reject(new ThreadFailedError('The statement failed.'));
  }

  #endWhenIdle(): void {
    this.#idleTimer = setTimeout(() => void this.#worker?.terminate(), this.options.idleMs ?? IDLE_MS);
    this.#idleTimer.unref();
  }

  /** The thread has ended. The next read starts another one. */
  #forget(worker: Worker, error?: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    clearTimeout(this.#idleTimer);
    if (error !== undefined) {
      this.options.log?.warn({ err: error }, 'the thread that reads large bodies has ended; they are read without it');
    }
    for (const [id, { reject }] of this.#pending) {
      this.#pending.delete(id);
      reject(new ThreadFailedError('The thread has ended.', { cause: error }));
    }
  }
}
