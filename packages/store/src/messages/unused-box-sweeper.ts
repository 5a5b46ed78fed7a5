import { retryContention } from '../client/retry-contention.js';
import { getDate, getInteger } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';

/** Boxes that one call looks at. */
const BATCH_SIZE = 500;
const SELECT_BATCH = prepared(
  `SELECT messageBoxId, updated_at FROM messageBox WHERE messageBoxId > ? ORDER BY messageBoxId LIMIT ${BATCH_SIZE}`,
);
const SELECT_OWN_BATCH = prepared(
  `SELECT messageBoxId FROM messageBox WHERE identityKey = ? AND messageBoxId > ?
   ORDER BY messageBoxId LIMIT ${BATCH_SIZE}`,
);
const IN_USE = `EXISTS (SELECT 1 FROM messages m WHERE m.messageBoxId = b.messageBoxId)`;
const HAS_PERMISSION = `EXISTS (SELECT 1 FROM message_permissions p
  WHERE p.recipient = b.identityKey AND p.message_box = b.type)`;

/** The result of one call of `sweep`. */
export interface BoxSweepResult {
  /** Where the next call begins; undefined after the last box. */
  readonly next: number | undefined;
  readonly removed: number;
}

/**
 * Deletes unused boxes: those without a message and without a permission that were created long ago. A send creates its box
 * again when it is missing, even when it was deleted after the send had found it.
 */
export class UnusedBoxSweeper {
  constructor(private readonly sql: SqlClient) {}

  /**
   * Looks at the next 500 boxes whose row id is above `after` (0: from the first one).
   *
   * @param createdBefore boxes that were created later stay
   * @throws {StoreUnavailableError}
   */
  sweep(after: number, createdBefore: Date): Promise<BoxSweepResult> {
    return withStoreErrors(async () => {
      const rows = await this.sql.read(SELECT_BATCH, [after]);
      const old = rows.filter((row) => getDate(row, 'updated_at') < createdBefore);
      const unused = await this.#findUnused(old.map((row) => getInteger(row, 'messageBoxId')));
      const removed = unused.length === 0 ? 0 : await retryContention(() => this.#remove(unused));
      const last = rows.at(-1);
      const isLastBatch = last === undefined || rows.length < BATCH_SIZE;
      return { next: isLastBatch ? undefined : getInteger(last, 'messageBoxId'), removed };
    });
  }

  /**
   * Deletes those of an identity's boxes that have no message.
   *
   * @returns the number of deleted boxes
   * @throws {StoreUnavailableError}
   */
  removeEmptyBoxesOf(identityKey: string): Promise<number> {
    return withStoreErrors(async () => {
      let removed = 0;
      for (let after = 0; ; ) {
        const rows = await this.sql.read(SELECT_OWN_BATCH, [toBinaryName(identityKey), after]);
        const ids = rows.map((row) => getInteger(row, 'messageBoxId'));
        if (ids.length > 0) removed += await retryContention(() => this.#remove(ids));
        if (ids.length < BATCH_SIZE) return removed;
        after = ids.at(-1) as number; // not undefined: the batch is full
      }
    });
  }

  /** Takes no locks, because most boxes are in use. */
  async #findUnused(ids: readonly number[]): Promise<number[]> {
    if (ids.length === 0) return [];
    const rows = await this.sql.read(
      dynamic(
        `SELECT b.messageBoxId FROM messageBox b
         WHERE b.messageBoxId ${inList(ids.length)} AND NOT ${IN_USE} AND NOT ${HAS_PERMISSION}`,
      ),
      ids,
    );
    return rows.map((row) => getInteger(row, 'messageBoxId'));
  }

  /**
   * Deleting a box deletes its messages, so the boxes are locked first. A transaction that has stored a message in one of
   * them has committed before the lock is granted, so its message is seen. A later one waits, and finds the box missing.
   */
  #remove(ids: readonly number[]): Promise<number> {
    return this.sql.transaction(async (runner) => {
      const { forUpdate, forShare } = this.sql.dialect;
      await runner.read(
        dynamic(`SELECT messageBoxId FROM messageBox WHERE messageBoxId ${inList(ids.length)}
          ORDER BY messageBoxId ${forUpdate}`),
        ids,
      );
      const used = await runner.read(
        dynamic(`SELECT messageBoxId FROM messages WHERE messageBoxId ${inList(ids.length)} ${forShare}`),
        ids,
      );
      const inUse = new Set(used.map((row) => getInteger(row, 'messageBoxId')));
      const unused = ids.filter((id) => !inUse.has(id));
      if (unused.length === 0) return 0;
      const remove = dynamic(`DELETE FROM messageBox WHERE messageBoxId ${inList(unused.length)}`);
      return (await runner.write(remove, unused)).changes;
    });
  }
}
