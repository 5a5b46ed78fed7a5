import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { SqlRow, SqlValue } from './sql-client.js';
import type { ReadAnswer, ThreadAnswer, ThreadRequest } from './sqlite-worker.js';
import type { StoreLog } from './store-config.js';

/**
 * A result reaches the main thread in parts, so the thread needs little memory. The limits make V8 collect the garbage of
 * large results early.
 */
const MEMORY_LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 16 };
/** As long as that of the main connection, though readers don't wait for the writer. */
const BUSY_TIMEOUT_MS = 1_000;

/** Starts the thread for an SQLite file. It takes a `ThreadRequest` and gives a `ThreadAnswer`; see sqlite-worker.js. */
export type StartSqliteThread = (filename: string) => Worker;

/** There is no thread: it was closed, could not start, or has ended. The main connection can do its work. */
export class SqliteThreadEndedError extends Error {
  override readonly name = 'SqliteThreadEndedError';
}

export interface SqliteThreadOptions {
  readonly filename: string;
  readonly log: StoreLog | undefined;
  /** Default: {@link startSqliteThread}. */
  readonly start?: StartSqliteThread | undefined;
}

interface PendingRead {
  readonly rows: SqlRow[];
  readonly resolve: (rows: SqlRow[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A thread with a connection of its own to the database file of a store, for what would block the event loop for long: it
 * reads large rows and makes checkpoints. It starts when it is first needed. When it ends by itself it is not started
 * again, and a warning is logged.
 *
 * The thread sees what is committed. An idle thread does not keep the process alive.
 */
export class SqliteThread {
  readonly #options: SqliteThreadOptions;
  readonly #reads = new Map<number, PendingRead>();
  #state: 'new' | 'starting' | 'ready' | 'closing' | 'ended' = 'new';
  #worker: Worker | undefined;
  #exited: Promise<void> = Promise.resolve();
  #isCheckpointing = false;
  #lastReadId = 0;

  constructor(options: SqliteThreadOptions) {
    this.#options = options;
  }

  /** Whether the thread has opened the database, and makes checkpoints when it is asked. */
  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /**
   * Runs a SELECT. Rejects with the driver's errors, as far as they are a `code` and a message.
   *
   * @throws {SqliteThreadEndedError}
   */
  read(text: string, values: readonly SqlValue[]): Promise<SqlRow[]> {
    const worker = this.#getWorker();
    if (worker === undefined) return Promise.reject(new SqliteThreadEndedError());
    return new Promise((resolve, reject) => {
      const id = ++this.#lastReadId;
      this.#reads.set(id, { rows: [], resolve, reject });
      worker.ref();
      send(worker, { kind: 'read', id, text, values });
    });
  }

  /**
   * Asks for a checkpoint that doesn't wait for readers or for the writer, and makes none of them wait.
   *
   * @returns false when there is no thread, or it is still making the last checkpoint
   */
  requestCheckpoint(): boolean {
    if (this.#isCheckpointing) return false;
    const worker = this.#getWorker();
    if (worker === undefined) return false;
    this.#isCheckpointing = true;
    send(worker, { kind: 'checkpoint' });
    return true;
  }

  /** Answers what was asked before, and waits until the thread has closed its connection and ended. Safe to call twice. */
  close(): Promise<void> {
    const worker = this.#worker;
    if (this.#state === 'starting' || this.#state === 'ready') {
      this.#state = 'closing';
      if (worker !== undefined) send(worker, { kind: 'close' });
    }
    if (this.#state === 'new') this.#state = 'ended';
    worker?.ref();
    return this.#exited;
  }

  #getWorker(): Worker | undefined {
    if (this.#state === 'new') this.#start();
    return this.#state === 'starting' || this.#state === 'ready' ? this.#worker : undefined;
  }

  #start(): void {
    this.#state = 'starting';
    try {
      const worker = (this.#options.start ?? startSqliteThread)(this.#options.filename);
      this.#worker = worker;
      this.#exited = new Promise((resolve) => {
        worker.once('exit', (code) => {
          this.#noteEnd(new Error(`The thread exited with code ${code}.`));
          resolve();
        });
      });
      worker.on('error', (error) => this.#noteEnd(error));
      worker.on('messageerror', (error) => {
        this.#noteEnd(error);
        void worker.terminate();
      });
      worker.on('message', (answer: ThreadAnswer) => this.#handleAnswer(answer));
      worker.unref();
    } catch (error) {
      this.#noteEnd(error);
    }
  }

  #handleAnswer(answer: ThreadAnswer): void {
    if (answer.kind === 'ready') {
      if (this.#state === 'starting') this.#state = 'ready';
    } else if (answer.kind === 'checkpointed') this.#isCheckpointing = false;
    else this.#handleReadAnswer(answer);
  }

  #handleReadAnswer(answer: ReadAnswer): void {
    const read = this.#reads.get(answer.id);
    if (read === undefined) return;
    if (answer.kind === 'rows') {
      for (const row of answer.rows) read.rows.push(toRow(row));
      if (!answer.isLast) return;
    }
    this.#reads.delete(answer.id);
    if (this.#reads.size === 0 && this.#state !== 'closing') this.#worker?.unref();
    if (answer.kind === 'rows') read.resolve(read.rows);
    else read.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
  }

  #noteEnd(reason: unknown): void {
    if (this.#state === 'ended') return;
    const isExpected = this.#state === 'closing';
    this.#state = 'ended';
    for (const { reject } of this.#reads.values()) reject(new SqliteThreadEndedError());
    this.#reads.clear();
    if (isExpected) return;
    this.#options.log?.warn({ reason: String(reason) }, "SQLite's thread ended; its work is done in the main thread");
  }
}

/** Starts sqlite-worker.js. */
export function startSqliteThread(filename: string): Worker {
  return new Worker(fileURLToPath(new URL('./sqlite-worker.js', import.meta.url)), {
    workerData: { filename, busyTimeoutMs: BUSY_TIMEOUT_MS },
    resourceLimits: MEMORY_LIMITS,
    // The environment holds secrets, and options such as `--import` are for the main thread.
    env: {},
    execArgv: [],
    name: 'sqlite',
  });
}

function send(worker: Worker, request: ThreadRequest): void {
  worker.postMessage(request);
}

/** A message between threads turns a Buffer into a Uint8Array. */
function toRow(row: SqlRow): SqlRow {
  for (const [column, value] of Object.entries(row)) {
    if (types.isUint8Array(value)) row[column] = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return row;
}
