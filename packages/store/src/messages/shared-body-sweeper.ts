import { getInteger } from '../client/rows.js';
import { dynamic, prepared, type SqlClient } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';

/** Bodies that one call looks at. */
const BATCH_SIZE = 500;
/** SQLite visits each page of what it deletes, and nobody else is served meanwhile. */
const MAX_BYTES_PER_DELETE = 1_048_576;
const SELECT_BATCH = prepared(`SELECT id, created_at FROM shared_bodies WHERE id > ? ORDER BY id LIMIT ${BATCH_SIZE}`);

/** The result of one call of `sweep`. */
export interface BodySweepResult {
  /** Where the next call begins; undefined after the last body. */
  readonly next: number | undefined;
  readonly removed: number;
}

/**
 * Deletes shared bodies that no message refers to any more: their messages were acknowledged, have expired or were removed. Such
 * a body is never used again, because only the transaction that adds a body adds references to it.
 */
export class SharedBodySweeper {
  constructor(private readonly sql: SqlClient) {}

  /**
   * Looks at the next 500 bodies whose row id is above `after` (0: from the first one).
   *
   * @param createdBefore bodies that were stored later stay
   * @throws {StoreUnavailableError}
   */
  sweep(after: number, createdBefore: Date): Promise<BodySweepResult> {
    return withStoreErrors(async () => {
      const rows = await this.sql.read(SELECT_BATCH, [after]);
      const old = rows.filter((row) => getInteger(row, 'created_at') < createdBefore.getTime());
      const removed = await this.#removeUnused(old.map((row) => getInteger(row, 'id')));
      const last = rows.at(-1);
      const isLastBatch = last === undefined || rows.length < BATCH_SIZE;
      return { next: isLastBatch ? undefined : getInteger(last, 'id'), removed };
    });
  }

  async #removeUnused(ids: readonly number[]): Promise<number> {
    if (ids.length === 0) return 0;
    const unused = await this.sql.read(
      dynamic(
        `SELECT s.id, s.bytes FROM shared_bodies s WHERE s.id ${inList(ids.length)}
         AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.shared_body_id = s.id) ORDER BY s.id`,
      ),
      ids,
    );
    let removed = 0;
    let group: number[] = [];
    let bytes = 0;
    for (const [index, row] of unused.entries()) {
      group.push(getInteger(row, 'id'));
      bytes += getInteger(row, 'bytes');
      if (bytes < MAX_BYTES_PER_DELETE && index < unused.length - 1) continue;
      const statement = dynamic(`DELETE FROM shared_bodies WHERE id ${inList(group.length)}`);
      removed += (await this.sql.write(statement, group)).changes;
      [group, bytes] = [[], 0];
    }
    return removed;
  }
}
