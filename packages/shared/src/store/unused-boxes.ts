import { retryContention } from './retry-contention.js';
import { fixed, type SqlClient, varying } from './sql-client.js';
import { withStoreErrors } from './translate-error.js';

/** Boxes that are looked at in one portion. */
const PORTION = 500;
const NEXT = fixed(
  `SELECT messageBoxId, updated_at FROM messageBox WHERE messageBoxId > ? ORDER BY messageBoxId LIMIT ${PORTION}`,
);
const IN_USE = `EXISTS (SELECT 1 FROM messages m WHERE m.messageBoxId = b.messageBoxId)`;
const CONFIGURED = `EXISTS (SELECT 1 FROM message_permissions p
  WHERE p.recipient = b.identityKey AND p.message_box = b.type)`;

/** Where the next portion begins, and what became of this one. */
export interface BoxSweep {
  /** Undefined: that was the last portion. */
  readonly next: number | undefined;
  readonly removed: number;
}

/**
 * Removes boxes that nobody needs: without a message, without a permission, and made long ago. A send makes a box again
 * when it is missing, also one that had found it just before.
 */
export class UnusedBoxes {
  constructor(private readonly sql: SqlClient) {}

  /**
   * Looks at the boxes behind `after` (0: from the first), a portion of them.
   *
   * @param madeBefore younger boxes stay
   * @throws {StoreUnavailableError}
   */
  sweep(after: number, madeBefore: Date): Promise<BoxSweep> {
    return withStoreErrors(async () => {
      const rows = await this.sql.read(NEXT, [after]);
      const old = rows.filter((row) => new Date(row['updated_at'] as Date | number) < madeBefore);
      const unused = await this.#unused(old.map((row) => Number(row['messageBoxId'])));
      const removed = unused.length === 0 ? 0 : await retryContention(() => this.#remove(unused));
      const last = rows.length < PORTION ? undefined : Number(rows.at(-1)?.['messageBoxId']);
      return { next: last, removed };
    });
  }

  /** Locks nothing, so that most boxes, which are in use, are left in peace. */
  async #unused(ids: readonly number[]): Promise<number[]> {
    if (ids.length === 0) return [];
    const rows = await this.sql.read(
      varying(
        `SELECT b.messageBoxId FROM messageBox b
         WHERE b.messageBoxId IN (${placesOf(ids)}) AND NOT ${IN_USE} AND NOT ${CONFIGURED}`,
      ),
      ids,
    );
    return rows.map((row) => Number(row['messageBoxId']));
  }

  /**
   * Deleting a box deletes its messages, so the boxes are locked first: whoever has stored a message in one has committed
   * by then and is seen, and whoever is about to store one waits, and then finds the box missing.
   */
  #remove(ids: readonly number[]): Promise<number> {
    return this.sql.transaction(async (runner) => {
      const { forUpdate, afterWriters } = this.sql.phrases;
      await runner.read(
        varying(`SELECT messageBoxId FROM messageBox WHERE messageBoxId IN (${placesOf(ids)})
          ORDER BY messageBoxId ${forUpdate}`),
        ids,
      );
      const used = await runner.read(
        varying(`SELECT messageBoxId FROM messages WHERE messageBoxId IN (${placesOf(ids)}) ${afterWriters}`),
        ids,
      );
      const inUse = new Set(used.map((row) => Number(row['messageBoxId'])));
      const unused = ids.filter((id) => !inUse.has(id));
      if (unused.length === 0) return 0;
      const remove = varying(`DELETE FROM messageBox WHERE messageBoxId IN (${placesOf(unused)})`);
      return (await runner.write(remove, unused)).changes;
    });
  }
}

function placesOf(ids: readonly number[]): string {
  return ids.map(() => '?').join(', ');
}
