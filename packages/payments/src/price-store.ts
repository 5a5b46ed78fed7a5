import type { PriceReference } from '@messagebox/messages';
import {
  classifySqlError,
  dynamic,
  prepared,
  retryContention,
  type SqlClient,
  type SqlRow,
  type SqlRunner,
  toBinaryName,
  translateError,
} from '@messagebox/store';
import type { ServerOutput } from './server-output.js';

/**
 * The states of a payment for a request:
 * - `taking`: recorded, and not received yet;
 * - `paid`: received. Any request of the payer may use it;
 * - `held`: reserved for one request, which may be completed without its client;
 * - `used`: that request was carried out;
 * - `refused`: the network did not accept it. It may be tried again.
 */
export type PriceState = 'taking' | 'paid' | 'held' | 'used' | 'refused';

/** The record of a payment for a request. */
export interface PriceRecord {
  readonly sender: string;
  readonly state: PriceState;
  readonly satoshis: number;
  /** The digest of the request that has the payment, in hex. */
  readonly request: string | undefined;
  /** How often it has paid for a request that only reads. */
  readonly uses: number;
}

/** A payment in the state `taking`. */
export interface PendingPrice {
  readonly txid: string;
  readonly sender: string;
  readonly satoshis: number;
  /** AtomicBEEF. */
  readonly beef: Uint8Array;
  readonly serverOutput: ServerOutput;
}

/** How often a request that only reads is served for one payment: so often current clients try. */
export const MAX_READS = 3;

/** Thrown in the transaction that stores what a payment is for, to roll it back: the payment is used already. */
export class PriceUsedError extends Error {
  override readonly name = 'PriceUsedError';
}

/** The table `request_payments`. All methods but `use` throw {@link StoreUnavailableError}. */
export class PriceStore {
  constructor(private readonly sql: SqlClient) {}

  find(txid: string): Promise<PriceRecord | undefined> {
    return this.#withStoreErrors(async () => {
      const [row] = await this.sql.read(FIND, [hexToBytes(txid)]);
      return row && toRecord(row);
    });
  }

  /** Finds a payment of exactly this amount that its payer has not used. @returns its transaction id */
  findCredit(sender: string, satoshis: number): Promise<string | undefined> {
    return this.#withStoreErrors(async () => {
      const [row] = await this.sql.read(FIND_CREDIT, [toBinaryName(sender), PAID, satoshis]);
      return row && (row['txid'] as Buffer).toString('hex');
    });
  }

  /** @returns undefined when the payment is not pending */
  findPending(txid: string): Promise<PendingPrice | undefined> {
    return this.#withStoreErrors(async () => {
      const [row] = await this.sql.read(FIND_PENDING, [hexToBytes(txid), TAKING]);
      return row && toPending(row);
    });
  }

  /**
   * Records a payment before it is received, also one that the network has refused before.
   *
   * @returns false when the transaction has another record, which is left as it is
   */
  insertPending({ txid, sender, satoshis, beef, serverOutput }: PendingPrice, now: Date): Promise<boolean> {
    const content = [satoshis, Buffer.from(beef), JSON.stringify(serverOutput), now.getTime(), now.getTime()];
    const key = hexToBytes(txid);
    return this.#withStoreErrors(async () => {
      const reopened = await this.#write(REOPEN, [TAKING, ...content, key, REFUSED, toBinaryName(sender)]);
      if (reopened === 1) return true;
      try {
        await this.#write(INSERT, [key, toBinaryName(sender), TAKING, ...content]);
        return true;
      } catch (error) {
        if (classifySqlError(error) === 'duplicate') return false;
        throw error;
      }
    });
  }

  /** Notes that the server has the money. */
  async markReceived(txid: string, now: Date): Promise<void> {
    await this.#update(END_TAKING, [PAID, null, now.getTime(), hexToBytes(txid), TAKING]);
  }

  /** Notes that the network does not accept the transaction. */
  async refuse(txid: string, reason: string, now: Date): Promise<void> {
    await this.#update(END_TAKING, [REFUSED, reason, now.getTime(), hexToBytes(txid), TAKING]);
  }

  /** Notes an attempt, so that other pending payments are tried first. */
  async touch(txid: string, now: Date): Promise<void> {
    await this.#update(TOUCH, [now.getTime(), hexToBytes(txid)]);
  }

  /**
   * Uses up a payment, in the transaction of what it has paid for.
   *
   * @throws {PriceUsedError} when it is used already, or reserved for another request
   * @throws {Error} of the driver, untranslated
   */
  async use(runner: SqlRunner, { txid, request }: PriceReference, now: Date): Promise<void> {
    const values = [USED, hexToBytes(request), now.getTime(), hexToBytes(txid), PAID, HELD, hexToBytes(request)];
    if ((await runner.write(USE, values)).changes !== 1) throw new PriceUsedError(`Payment ${txid} is used.`);
  }

  /** @returns false when another request has the payment, or this one was carried out with it */
  async hold({ txid, request }: PriceReference, now: Date): Promise<boolean> {
    const values = [HELD, hexToBytes(request), now.getTime(), hexToBytes(txid), PAID, HELD, hexToBytes(request)];
    return (await this.#update(USE, values)) === 1;
  }

  /** @returns false when another request has the payment, or this one was served {@link MAX_READS} times */
  async useForReading({ txid, request }: PriceReference, now: Date): Promise<boolean> {
    const key = hexToBytes(request);
    const values = [USED, key, now.getTime(), hexToBytes(txid), PAID, USED, key, MAX_READS];
    return (await this.#update(USE_FOR_READING, values)) === 1;
  }

  /**
   * Lists pending payments that were not touched for `idleMs`, the longest untouched first.
   *
   * @returns their transaction ids and when they were recorded
   */
  listPending(now: Date, idleMs: number, limit: number): Promise<{ txid: string; startedAt: Date }[]> {
    return this.#withStoreErrors(async () => {
      const sql = dynamic(
        `SELECT txid, created_at FROM request_payments
         WHERE state = ? AND updated_at < ? AND (updated_at + updated_at - created_at <= ? OR updated_at <= ?)
         ORDER BY updated_at LIMIT ${Math.trunc(limit)}`,
      );
      const rows = await this.sql.read(sql, [
        TAKING,
        now.getTime() - idleMs,
        now.getTime(),
        now.getTime() - MAX_RETRY_INTERVAL_MS,
      ]);
      return rows.map((row) => ({
        txid: (row['txid'] as Buffer).toString('hex'),
        startedAt: new Date(Number(row['created_at'])),
      }));
    });
  }

  #update(...args: Parameters<SqlClient['write']>): Promise<number> {
    return this.#withStoreErrors(() => this.#write(...args));
  }

  async #write(...[sql, values]: Parameters<SqlClient['write']>): Promise<number> {
    return (await retryContention(() => this.sql.write(sql, values))).changes;
  }

  async #withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translateError(error);
    }
  }
}

/**
 * Ends the reservation of a payment for a send: the messages are stored, or they will never be.
 *
 * @param outcome `paid` gives the payment back to its payer
 * @throws {Error} of the driver, untranslated
 */
export async function endHold(
  runner: SqlRunner,
  { txid, request }: PriceReference,
  outcome: 'used' | 'paid',
  now: Date,
): Promise<void> {
  const values = [outcome === 'used' ? USED : PAID, now.getTime(), hexToBytes(txid), HELD, hexToBytes(request)];
  await runner.write(END_HOLD, values);
}

function toRecord(row: SqlRow): PriceRecord {
  const request = row['request'] as Buffer | null;
  return {
    sender: readText(row, 'sender'),
    state: readText(row, 'state') as PriceState,
    satoshis: Number(row['satoshis']),
    request: request === null ? undefined : request.toString('hex'),
    uses: Number(row['uses']),
  };
}

function toPending(row: SqlRow): PendingPrice {
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    sender: readText(row, 'sender'),
    satoshis: Number(row['satoshis']),
    beef: row['beef'] as Buffer,
    serverOutput: JSON.parse(String(row['server_output'])) as ServerOutput,
  };
}

function hexToBytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

function readText(row: SqlRow, column: string): string {
  return (row[column] as Buffer).toString('utf8');
}

/** The longest time between two attempts to receive one payment. */
const MAX_RETRY_INTERVAL_MS = 3_600_000;
const [TAKING, PAID, HELD, USED, REFUSED] = (['taking', 'paid', 'held', 'used', 'refused'] as const).map(
  (state: PriceState) => toBinaryName(state),
) as [Buffer, Buffer, Buffer, Buffer, Buffer];

const FIND = prepared('SELECT sender, state, satoshis, request, uses FROM request_payments WHERE txid = ?');
const FIND_CREDIT = prepared(
  'SELECT txid FROM request_payments WHERE sender = ? AND state = ? AND satoshis = ? LIMIT 1',
);
const FIND_PENDING = prepared(
  'SELECT txid, sender, satoshis, beef, server_output FROM request_payments WHERE txid = ? AND state = ?',
);
const INSERT = prepared(
  `INSERT INTO request_payments (txid, sender, state, satoshis, beef, server_output, created_at, updated_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);
const REOPEN = prepared(
  `UPDATE request_payments
   SET state = ?, satoshis = ?, beef = ?, server_output = ?, created_at = ?, updated_at = ?, reason = NULL
   WHERE txid = ? AND state = ? AND sender = ?`,
);
const END_TAKING = prepared(
  `UPDATE request_payments SET state = ?, reason = ?, updated_at = ?, beef = NULL, server_output = NULL
   WHERE txid = ? AND state = ?`,
);
const TOUCH = prepared('UPDATE request_payments SET updated_at = ? WHERE txid = ?');
const USE = prepared(
  `UPDATE request_payments SET state = ?, request = ?, updated_at = ?
   WHERE txid = ? AND (state = ? OR (state = ? AND request = ?))`,
);
const USE_FOR_READING = prepared(
  `UPDATE request_payments SET state = ?, request = ?, updated_at = ?, uses = uses + 1
   WHERE txid = ? AND (state = ? OR (state = ? AND request = ? AND uses < ?))`,
);
const END_HOLD = prepared(
  'UPDATE request_payments SET state = ?, updated_at = ? WHERE txid = ? AND state = ? AND request = ?',
);
