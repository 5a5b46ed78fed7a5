import { checkChanges, type SqlWrite, type WriteResult } from './sql-client.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { TickBatcher } from './tick-batcher.js';

/** Most statements that share one commit. Bounds how long a commit blocks the event loop. */
const MAX_WRITES_PER_COMMIT = 256;

/** Writes that wait for their commit: all of them are committed, or none. */
export interface PendingWrites {
  /** At least one. */
  readonly writes: readonly SqlWrite[];
  readonly run: (database: SqliteDatabase, write: SqlWrite) => WriteResult;
  readonly resolve: (results: WriteResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets writes of the same turn of the event loop share one commit, because the commit, which waits for the disk, is most
 * of the cost of a write. To its caller each write, and each set of writes that belong together, is still a transaction of
 * its own: it settles only after the commit, and a statement that fails doesn't undo those of others.
 */
export class SqliteGroupCommit {
  readonly #writes: TickBatcher<PendingWrites>;

  /** @param withDatabase runs work on the one connection, while nothing else uses it */
  constructor(withDatabase: (work: (database: SqliteDatabase) => void) => Promise<void>) {
    this.#writes = new TickBatcher(MAX_WRITES_PER_COMMIT, (group) => {
      // Rejects when no connection is available; writes that ran have been settled already.
      withDatabase((database) => commitGroup(database, group)).catch((error: unknown) => rejectAll(group, error));
    });
  }

  add(writes: PendingWrites): void {
    this.#writes.add(writes);
  }
}

function commitGroup(database: SqliteDatabase, group: readonly PendingWrites[]): void {
  const [only] = group;
  if (group.length === 1 && only?.writes.length === 1) {
    commitOne(database, only);
    return;
  }
  let settle: (() => void)[];
  try {
    database.exec('BEGIN IMMEDIATE');
    settle = group.map((pending) => runInGroup(database, pending));
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    rejectAll(group, error);
    return;
  }
  for (const done of settle) done();
}

/** A single statement is its own transaction. */
function commitOne(database: SqliteDatabase, { writes, run, resolve, reject }: PendingWrites): void {
  try {
    resolve(writes.map((write) => run(database, write)));
  } catch (error) {
    reject(error);
  }
}

/** @returns a function that settles the writes, to be called when the group is committed */
function runInGroup(database: SqliteDatabase, { writes, run, resolve, reject }: PendingWrites): () => void {
  // A violated constraint undoes its own statement only, so a single write needs no savepoint.
  const hasSavepoint = writes.length > 1;
  try {
    if (hasSavepoint) database.exec('SAVEPOINT unit');
    const results = writes.map((write) => checkChanges(write, run(database, write)));
    if (hasSavepoint) database.exec('RELEASE unit');
    return () => resolve(results);
  } catch (error) {
    // Other errors, such as a full disk, end the whole transaction.
    if (!database.inTransaction) throw error;
    if (hasSavepoint) database.exec('ROLLBACK TO unit; RELEASE unit');
    return () => reject(error);
  }
}

function rejectAll(group: readonly PendingWrites[], error: unknown): void {
  for (const write of group) write.reject(error);
}

export function toWriteResult(result: { changes: number; lastInsertRowid: number | bigint }): WriteResult {
  return { changes: result.changes, insertId: Number(result.lastInsertRowid) };
}
