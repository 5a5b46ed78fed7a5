import { setImmediate } from 'node:timers/promises';
import { retryContention } from '../client/retry-contention.js';
import { getBytes, getInteger } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, type SqlValue } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';
import { openReceipts } from './receipts.js';

/** Receipts that one statement deletes. */
const BATCH_SIZE = 1_000;
/** Receipts that one statement counts. SQLite, which blocks the process meanwhile, takes a millisecond. */
const COUNT_BATCH_SIZE = 20_000;
const INDEX = 'receipts_expires_at_index';

/**
 * Removes receipts whose time is over, and the oldest ones when there are too many. All methods throw
 * {@link StoreUnavailableError} and nothing else.
 */
export class ReceiptPurger {
  constructor(private readonly sql: SqlClient) {}

  /** Removes at most 1,000 receipts whose time is over. @returns the number of removed receipts */
  purge(now: Date): Promise<number> {
    return withStoreErrors(() => this.#removeUpTo(Math.floor(now.getTime() / 1_000), BATCH_SIZE));
  }

  /**
   * Removes the oldest receipts while there are more than the limit. Others run between its statements.
   *
   * @param isStopped ends the work between two statements
   * @returns the number of removed receipts; 0 where nothing is remembered, because receipts then end by themselves
   */
  trim(isStopped: () => boolean): Promise<number> {
    const maxRows = openReceipts(this.sql)?.maxRows;
    if (maxRows === undefined) return Promise.resolve(0);
    return withStoreErrors(async () => {
      let excess = (await this.#count(isStopped)) - maxRows;
      let removed = 0;
      while (excess > 0 && !isStopped()) {
        const batch = await this.#removeUpTo(Number.MAX_SAFE_INTEGER, Math.min(excess, BATCH_SIZE));
        if (batch === 0) break; // another instance was faster
        removed += batch;
        excess -= batch;
        await setImmediate();
      }
      return removed;
    });
  }

  async #removeUpTo(expiresAt: number, limit: number): Promise<number> {
    const select = dynamic(
      `SELECT handle FROM receipts ${this.sql.dialect.forceIndex(INDEX)}
       WHERE expires_at <= ? ORDER BY expires_at, handle LIMIT ${limit}`,
    );
    const handles = (await this.sql.read(select, [expiresAt])).map((row) => getBytes(row, 'handle'));
    if (handles.length === 0) return 0;
    handles.sort(Buffer.compare);
    const remove = dynamic(`DELETE FROM receipts WHERE handle ${inList(handles.length)}`);
    return (await retryContention(() => this.sql.write(remove, handles))).changes;
  }

  async #count(isStopped: () => boolean): Promise<number> {
    let total = 0;
    let after: readonly SqlValue[] = [0, 0, Buffer.alloc(0)];
    while (!isStopped()) {
      const [last] = await this.#readAt(after, COUNT_BATCH_SIZE - 1);
      if (last === undefined) break;
      total += COUNT_BATCH_SIZE;
      const expiresAt = getInteger(last, 'expires_at');
      after = [expiresAt, expiresAt, getBytes(last, 'handle')];
      await setImmediate();
    }
    const rest = dynamic(
      `SELECT COUNT(*) AS total FROM receipts ${this.sql.dialect.forceIndex(INDEX)}
       WHERE expires_at >= ? AND (expires_at > ? OR handle > ?)`,
    );
    const [row] = await this.sql.read(rest, after);
    return total + (row === undefined ? 0 : getInteger(row, 'total'));
  }

  #readAt(after: readonly SqlValue[], offset: number): Promise<SqlRow[]> {
    return this.sql.read(
      dynamic(
        `SELECT expires_at, handle FROM receipts ${this.sql.dialect.forceIndex(INDEX)}
         WHERE expires_at >= ? AND (expires_at > ? OR handle > ?) ORDER BY expires_at, handle LIMIT 1 OFFSET ${offset}`,
      ),
      after,
    );
  }
}

/** Removes the receipts about messages that this identity has sent. Rejects with the driver's errors. */
export async function removeReceiptsOf(sql: SqlClient, sender: string): Promise<void> {
  const range = openReceipts(sql)?.handles.rangeOfSender(sender);
  if (range === undefined) return;
  const select = prepared(
    `SELECT handle FROM receipts WHERE handle BETWEEN ? AND ? ORDER BY handle LIMIT ${BATCH_SIZE}`,
  );
  for (;;) {
    const handles = (await sql.read(select, [range.first, range.last])).map((row) => getBytes(row, 'handle'));
    if (handles.length === 0) return;
    const remove = dynamic(`DELETE FROM receipts WHERE handle ${inList(handles.length)}`);
    await retryContention(() => sql.write(remove, handles));
    await setImmediate();
  }
}
