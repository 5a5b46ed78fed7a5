import { retryContention } from '../client/retry-contention.js';
import { getCount, getInteger } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';
import { removeExpired } from '../receipts/expire.js';
import { describeExpiry, EXPIRATION_INDEX } from './message-expiry.js';

/** Rows that one step looks at and one statement deletes. SQLite, which blocks the process meanwhile, takes about 15 ms. */
const BATCH_SIZE = 500;
/** A step stops before bodies of more bytes. */
const MAX_BATCH_BYTES = 8 * 1_024 * 1_024;

/** The result of one step of {@link ExpiredMessagePurger}. */
export interface PurgeStep {
  readonly removed: number;
  /** Whether another step may find more. */
  readonly hasMore: boolean;
}

/** The findings of one step. */
interface Batch {
  readonly expired: readonly number[];
  /** Messages whose time has come, and that carry a payment. */
  readonly paid: readonly number[];
  readonly isLast: boolean;
  /** The row id up to which everything old was found; undefined when the batch is not of old rows. */
  readonly oldUpTo: number | undefined;
}

/**
 * Removes messages that have expired, in small steps. Nobody waits for a step for long: it finds the rows without locks, and
 * deletes them by their row ids in one short statement that checks each once more. Several purgers may work at once; each
 * row is counted by the one that has deleted it.
 *
 * Rows whose `expires_at` has come are found along its index. Rows that are older than the operator keeps messages are found
 * in the order of storing, which is that of their age. What this object has passed there are messages with payments: it
 * does not look at them again. All methods throw {@link StoreUnavailableError} and nothing else.
 */
export class ExpiredMessagePurger {
  /** All rows up to this row id are removed, or carry a payment. */
  #passedId = 0;

  constructor(private readonly sql: SqlClient) {}

  /** Whether there is anything to remove. Changes nothing. */
  findsWork(): Promise<boolean> {
    return withStoreErrors(async () => {
      const due = await this.#findDue(1);
      if (due.expired.length > 0 || due.paid.length > 0) return true;
      const old = await this.#findOld(BATCH_SIZE);
      return old.expired.length > 0 || old.oldUpTo !== undefined;
    });
  }

  /** Removes at most 500 messages, and at most 8 MiB of bodies unless a single one is larger. */
  step(): Promise<PurgeStep> {
    return withStoreErrors(async () => {
      const due = await this.#findDue(BATCH_SIZE);
      if (due.expired.length > 0 || due.paid.length > 0) {
        await this.#keep(due.paid);
        return { removed: await this.#remove(due.expired), hasMore: true };
      }
      const old = await this.#findOld(BATCH_SIZE);
      const removed = await this.#remove(old.expired);
      if (old.oldUpTo !== undefined) this.#passedId = old.oldUpTo;
      return { removed, hasMore: !old.isLast };
    });
  }

  async #findDue(limit: number): Promise<Batch> {
    const { dialect } = this.sql;
    const { carriesPayment } = describeExpiry(this.sql, 'm');
    const select = prepared(
      `SELECT m.id, m.body_bytes, ${carriesPayment} AS paid FROM messages m ${dialect.forceIndex(EXPIRATION_INDEX)}
       WHERE m.expires_at <= ${dialect.now} ORDER BY m.expires_at LIMIT ${limit}`,
    );
    const rows = await this.sql.read(select, []);
    const batch = takeBatch(rows);
    return { ...batch, isLast: rows.length < limit, oldUpTo: undefined };
  }

  /** The next rows in the order of storing that are too old. */
  async #findOld(limit: number): Promise<Batch> {
    if (this.sql.retentionDays === 0) return { expired: [], paid: [], isLast: true, oldUpTo: undefined };
    const { isOld, carriesPayment } = describeExpiry(this.sql, 'm');
    const select = prepared(
      `SELECT m.id, m.body_bytes, ${isOld} AS old, CASE WHEN ${isOld} THEN ${carriesPayment} ELSE 0 END AS paid
       FROM messages m WHERE m.id > ? ORDER BY m.id LIMIT ${limit}`,
    );
    const rows = await this.sql.read(select, [this.#passedId]);
    const young = rows.findIndex((row) => getInteger(row, 'old') !== 1);
    const old = rows.filter((row) => getInteger(row, 'old') === 1);
    const batch = takeBatch(old);
    const taken = batch.expired.length + batch.paid.length;
    // Old rows behind a young one, which clocks that were set back leave, are removed and found again with it.
    const passed = young < 0 ? taken : Math.min(taken, young);
    return {
      expired: batch.expired,
      paid: [],
      isLast: taken === old.length && (young >= 0 || rows.length < limit),
      oldUpTo: passed === 0 ? undefined : getInteger(rows[passed - 1] as SqlRow, 'id'),
    };
  }

  async #remove(ids: readonly number[]): Promise<number> {
    if (ids.length === 0) return 0;
    await this.#removePushes(ids);
    return retryContention(() => removeExpired(this.sql, (table) => `${table}.id ${inList(ids.length)}`, ids));
  }

  /** Devices must not be told of messages that nobody finds. There are such rows only while pushes wait. */
  async #removePushes(ids: readonly number[]): Promise<void> {
    const { isExpired } = describeExpiry(this.sql, 'm');
    for (const table of ['push_outbox', 'push_deliveries']) {
      const find = `SELECT p.id FROM messages m JOIN ${table} p ON p.recipient = m.recipient AND p.message_id = m.messageId
        WHERE m.id ${inList(ids.length)} AND ${isExpired}`;
      const pushes = (await this.sql.read(dynamic(find), ids)).map((row) => getInteger(row, 'id'));
      if (pushes.length === 0) continue;
      const remove = dynamic(`DELETE FROM ${table} WHERE id ${inList(pushes.length)}`);
      await retryContention(() => this.sql.write(remove, pushes));
    }
  }

  /** Takes messages with payments out of the index, in which each step would find them again. */
  async #keep(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const keep = dynamic(`UPDATE messages SET carries_payment = 1, expires_at = NULL WHERE id ${inList(ids.length)}`);
    await retryContention(() => this.sql.write(keep, ids));
  }
}

/** The first of these rows, until those to be removed have {@link MAX_BATCH_BYTES}; always one of them. */
function takeBatch(rows: readonly SqlRow[]): Pick<Batch, 'expired' | 'paid'> {
  const expired: number[] = [];
  const paid: number[] = [];
  let bytes = 0;
  for (const row of rows) {
    const id = getInteger(row, 'id');
    if (getInteger(row, 'paid') === 1) {
      paid.push(id);
      continue;
    }
    bytes += getCount(row, 'body_bytes');
    if (bytes > MAX_BATCH_BYTES && expired.length > 0) break;
    expired.push(id);
  }
  return { expired, paid };
}
