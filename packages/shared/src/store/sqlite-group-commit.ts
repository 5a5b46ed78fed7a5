import { PerTurn } from './per-turn.js';
import type { SqlValue, WriteResult } from './sql-client.js';
import type { SqliteDatabase, SqliteStatement } from './sqlite-client.js';

/** Statements that share one commit at the most: bounds how long the event loop stands still for it. */
const MOST_PER_COMMIT = 256;

/** A write that waits for its commit. */
export interface PendingWrite {
  readonly statement: (database: SqliteDatabase) => SqliteStatement;
  readonly values: readonly SqlValue[];
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets writes that come in the same turn of the event loop share one commit, since the commit, which waits for the
 * disk, is what a write costs. Each is still a transaction of its own to its caller: it settles only after the commit,
 * and a statement that fails takes no other with it.
 */
export class SqliteGroupCommit {
  readonly #writes: PerTurn<PendingWrite>;

  /** @param use runs work on the one connection, when nobody else does */
  constructor(use: (work: (database: SqliteDatabase) => void) => Promise<void>) {
    this.#writes = new PerTurn(MOST_PER_COMMIT, (group) => {
      // Rejects when there is no connection to be had; what ran was settled before.
      use((database) => commitGroup(database, group)).catch((error: unknown) => rejectAll(group, error));
    });
  }

  add(write: PendingWrite): void {
    this.#writes.add(write);
  }
}

function commitGroup(database: SqliteDatabase, group: readonly PendingWrite[]): void {
  const [only] = group;
  if (group.length === 1 && only !== undefined) {
    settleOne(database, only);
    return;
  }
  let settle: (() => void)[];
  try {
    database.exec('BEGIN IMMEDIATE');
    settle = group.map((write) => attempt(database, write));
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    rejectAll(group, error);
    return;
  }
  for (const done of settle) done();
}

function settleOne(database: SqliteDatabase, write: PendingWrite): void {
  try {
    write.resolve(toWriteResult(write.statement(database).run(write.values)));
  } catch (error) {
    write.reject(error);
  }
}

/** Runs one of a group. @returns what to tell its caller, once the group is committed */
function attempt(database: SqliteDatabase, write: PendingWrite): () => void {
  try {
    const result = toWriteResult(write.statement(database).run(write.values));
    return () => write.resolve(result);
  } catch (error) {
    // A broken rule undoes its own statement only; a full disk and its like end the transaction of all.
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
