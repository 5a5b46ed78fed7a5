import type { SqlValue, WriteResult } from './sql-client.js';
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.js';
import { TickBatcher } from './tick-batcher.js';

/** Most statements that share one commit. Bounds how long a commit blocks the event loop. */
const MAX_WRITES_PER_COMMIT = 256;

/** A write that waits for its commit. */
export interface PendingWrite {
  readonly statement: (database: SqliteDatabase) => SqliteStatement;
  readonly values: readonly SqlValue[];
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets writes of the same turn of the event loop share one commit, because the commit, which waits for the disk, is most
 * of the cost of a write. To its caller each write is still a transaction of its own: it settles only after the commit,
 * and a statement that fails doesn't undo the others.
 */
export class SqliteGroupCommit {
  readonly #writes: TickBatcher<PendingWrite>;

  /** @param withDatabase runs work on the one connection, while nothing else uses it */
  constructor(withDatabase: (work: (database: SqliteDatabase) => void) => Promise<void>) {
    this.#writes = new TickBatcher(MAX_WRITES_PER_COMMIT, (group) => {
      // Rejects when no connection is available; writes that ran have been settled already.
      withDatabase((database) => commitGroup(database, group)).catch((error: unknown) => rejectAll(group, error));
    });
  }

  add(write: PendingWrite): void {
    this.#writes.add(write);
  }
}

function commitGroup(database: SqliteDatabase, group: readonly PendingWrite[]): void {
  const [only] = group;
  if (group.length === 1 && only !== undefined) {
    commitOne(database, only);
    return;
  }
  let settle: (() => void)[];
  try {
    database.exec('BEGIN IMMEDIATE');
    settle = group.map((write) => runInGroup(database, write));
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    rejectAll(group, error);
    return;
  }
  for (const done of settle) done();
}

function commitOne(database: SqliteDatabase, write: PendingWrite): void {
  try {
    write.resolve(toWriteResult(write.statement(database).run(write.values)));
  } catch (error) {
    write.reject(error);
  }
}

/** @returns a function that settles the write, to be called when the group is committed */
function runInGroup(database: SqliteDatabase, write: PendingWrite): () => void {
  try {
    const result = toWriteResult(write.statement(database).run(write.values));
    return () => write.resolve(result);
  } catch (error) {
    // A violated constraint undoes its own statement only. Other errors, such as a full disk, end the whole transaction.
    if (!database.inTransaction) throw error;
    return () => write.reject(error);
  }
}

function rejectAll(group: readonly PendingWrite[], error: unknown): void {
  for (const write of group) write.reject(error);
}

export function toWriteResult(result: { changes: number; lastInsertRowid: number | bigint }): WriteResult {
  return { changes: result.changes, insertId: Number(result.lastInsertRowid) };
}
