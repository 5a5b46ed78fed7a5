/**
 * The thread beside the main connection to an SQLite file; see sqlite-thread.ts. It reads and makes checkpoints, and writes
 * nothing. This file is JavaScript, so that Node can start it from the sources (tests) as well as from the build.
 *
 * @typedef {{ kind: 'read', id: number, text: string, values: readonly unknown[] }} ReadRequest
 * @typedef {ReadRequest | { kind: 'checkpoint' } | { kind: 'close' }} ThreadRequest
 * @typedef {Record<string, unknown>} Row
 * @typedef {{ code: unknown, message: string }} Failure of a statement
 * @typedef {{ kind: 'rows', id: number, rows: Row[], isLast: boolean } | { kind: 'failed', id: number, error: Failure }} ReadAnswer
 * @typedef {{ kind: 'ready' } | { kind: 'checkpointed' } | ReadAnswer} ThreadAnswer `ready` is the first one
 *
 * @typedef {{ iterate(values: readonly unknown[]): Iterable<Row> }} Statement
 * @typedef {{ prepare(text: string): Statement, pragma(text: string, options?: { simple: boolean }): unknown,
 *   close(): void }} Database the part of better-sqlite3 that is used here
 */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

/** Large rows are handed over in parts, so that they don't gather here, and don't reach the main thread at once. */
const PART_BYTES = 2 ** 20;

if (parentPort === null) throw new Error('This file is started as a thread.');
const port = parentPort;
const { filename, busyTimeoutMs } = /** @type {{ filename: string, busyTimeoutMs: number }} */ (workerData);

const database = openDatabase();
port.on('message', handleRequest);
answer({ kind: 'ready' });

/** @returns {Database} */
function openDatabase() {
  const Driver = /** @type {new (filename: string, options: object) => Database} */ (
    createRequire(import.meta.url)('better-sqlite3')
  );
  const opened = new Driver(filename, { fileMustExist: true, timeout: busyTimeoutMs });
  // The checkpoints of a connection with another setting could lose what is committed when the power fails.
  opened.pragma('synchronous = FULL');
  opened.pragma('query_only = ON'); // allows checkpoints
  opened.pragma('cache_size = -1024'); // a body is read once
  // In other modes a reader and the writer wait for each other.
  if (opened.pragma('journal_mode', { simple: true }) !== 'wal') throw new Error('The database is not in WAL mode.');
  return opened;
}

/** @param {ThreadRequest} request */
function handleRequest(request) {
  if (request.kind === 'read') return read(request);
  if (request.kind === 'checkpoint') return makeCheckpoint();
  // Nothing is left then that keeps the thread alive. What was asked before has been answered.
  database.close();
  port.close();
}

/** @param {ReadRequest} request */
function read({ id, text, values }) {
  try {
    /** @type {Row[]} */
    let rows = [];
    let bytes = 0;
    for (const row of database.prepare(text).iterate(values)) {
      rows.push(row);
      bytes += measureRow(row);
      if (bytes < PART_BYTES) continue;
      answer({ kind: 'rows', id, rows, isLast: false });
      rows = [];
      bytes = 0;
    }
    answer({ kind: 'rows', id, rows, isLast: true });
  } catch (error) {
    const { code, message } = /** @type {Failure} */ (error);
    answer({ kind: 'failed', id, error: { code, message } });
  }
}

/** @param {Row} row */
function measureRow(row) {
  let bytes = 0;
  for (const value of Object.values(row)) {
    if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length;
  }
  return bytes;
}

function makeCheckpoint() {
  try {
    database.pragma('wal_checkpoint(PASSIVE)');
  } catch {
    // Such as a full disk. The log keeps everything, and grows until a later checkpoint succeeds.
  }
  answer({ kind: 'checkpointed' });
}

/** @param {ThreadAnswer} message */
function answer(message) {
  port.postMessage(message);
}
