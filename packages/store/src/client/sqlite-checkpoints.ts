import type { SqlValue } from './sql-client.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { SqliteThread } from './sqlite-thread.js';

/** A checkpoint is due after about as much as SQLite's own 1,000 pages. */
const CHECKPOINT_BYTES = 4 * 2 ** 20;
/** What a write adds to the log beyond its values: pages of the table and of indexes, some of which other writes change too. */
const WRITE_OVERHEAD_BYTES = 8 * 1024;
/** SQLite's default: the commit that fills so many pages makes a checkpoint. */
const PAGES_WITHOUT_THREAD = 1_000;
/**
 * 32 MB. The log begins anew only after a checkpoint that nothing was written beside. When writes never pause, no checkpoint of
 * the thread is one, so a commit makes a checkpoint at last; what the thread has left to it is little.
 */
const PAGES_WITH_THREAD = 8_000;

/**
 * Leaves SQLite's checkpoints to the thread. Otherwise a commit makes them, and a large one takes twice as long: the
 * checkpoint writes everything a second time and waits for the disk. As long as there is no thread, commits make them.
 */
export class SqliteCheckpoints {
  /** An estimate of what was written since the last checkpoint was requested. */
  #bytes = 0;
  /** The present setting of a connection. */
  readonly #pages = new WeakMap<SqliteDatabase, number>();

  constructor(private readonly thread: SqliteThread) {}

  noteWrite(values: readonly SqlValue[]): void {
    this.#bytes += WRITE_OVERHEAD_BYTES;
    for (const value of values) {
      if (typeof value === 'string' || Buffer.isBuffer(value)) this.#bytes += value.length;
    }
  }

  /** Call it after each commit, outside of a transaction. */
  noteCommit(database: SqliteDatabase): void {
    if (this.#bytes >= CHECKPOINT_BYTES && this.thread.requestCheckpoint()) this.#bytes = 0;
    const pages = this.thread.isReady ? PAGES_WITH_THREAD : PAGES_WITHOUT_THREAD;
    if ((this.#pages.get(database) ?? PAGES_WITHOUT_THREAD) === pages) return;
    database.pragma(`wal_autocheckpoint = ${pages}`);
    this.#pages.set(database, pages);
  }
}
