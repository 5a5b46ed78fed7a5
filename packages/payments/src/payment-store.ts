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
import type { PaidDelivery } from './paid-delivery.js';
import { type PaymentState, REUSABLE_STATES } from './payment-states.js';
import { endHold } from './price-store.js';
import type { ServerOutput } from './server-output.js';

/** `[recipient, messageBox, messageId]` of each message that a payment is for. */
export type MessageKeys = readonly (readonly [string, string, string])[];

/** The record of a payment, without its content. */
export interface PaymentRecord {
  readonly txid: string;
  readonly sender: string;
  readonly state: PaymentState;
  readonly messageKeys: MessageKeys;
  readonly reason: string | undefined;
}

/** A payment that is to be recorded. */
export interface NewPayment {
  readonly txid: string;
  readonly sender: string;
  readonly messageKeys: MessageKeys;
  /** AtomicBEEF. Empty in a record whose transaction is in an upload: see `delivery.beefR2Key`. */
  readonly beef: Uint8Array;
  readonly serverOutput: ServerOutput | undefined;
  readonly delivery: PaidDelivery;
}

/** A payment in the state `taking`. */
export interface PendingPayment extends NewPayment {
  /** When it was recorded for these messages. Updates name it, so they change nothing once it is for others. */
  readonly startedAt: Date;
}

/** The longest time between two recovery attempts of one payment. */
const MAX_RETRY_INTERVAL_MS = 3_600_000;

/** Thrown in the transaction that stores messages when another instance has ended the payment, to roll it back. */
export class FinishedElsewhereError extends Error {
  override readonly name = 'FinishedElsewhereError';
}

/** The table `payments`. All methods but `settle` throw {@link StoreUnavailableError}. */
export class PaymentStore {
  constructor(private readonly sql: SqlClient) {}

  find(txid: string): Promise<PaymentRecord | undefined> {
    return this.#withStoreErrors(async () => {
      const [row] = await this.sql.read(FIND, [txidToBytes(txid)]);
      if (row === undefined) return undefined;
      return {
        txid,
        sender: readText(row, 'sender'),
        state: readText(row, 'state') as PaymentState,
        messageKeys: JSON.parse(String(row['covers'])) as MessageKeys,
        reason: row['reason'] === null ? undefined : String(row['reason']),
      };
    });
  }

  /** @returns undefined when the payment is not pending */
  findPending(txid: string): Promise<PendingPayment | undefined> {
    return this.#withStoreErrors(async () => {
      const [row] = await this.sql.read(FIND_PENDING, [txidToBytes(txid), PENDING]);
      return row === undefined ? undefined : toPendingPayment(row);
    });
  }

  /** @returns false when the transaction has a record already, which is left as it is */
  insertPending(payment: NewPayment, now: Date): Promise<boolean> {
    const { txid, sender } = payment;
    const values = [
      txidToBytes(txid),
      toBinaryName(sender),
      PENDING,
      ...toContentValues(payment),
      now.getTime(),
      now.getTime(),
    ];
    return this.#withStoreErrors(async () => {
      try {
        await retryContention(() => this.sql.write(INSERT_PENDING, values));
        return true;
      } catch (error) {
        if (classifySqlError(error) === 'duplicate') return false;
        throw error;
      }
    });
  }

  /**
   * Makes a reusable payment pending again, for these messages.
   *
   * @returns false when it is not reusable any more, or belongs to another sender
   */
  async reopen(payment: NewPayment, now: Date): Promise<boolean> {
    const { txid, sender } = payment;
    const key = [txidToBytes(txid), ...REUSABLE_STATES.map(toBinaryName), toBinaryName(sender)];
    const values = [PENDING, ...toContentValues(payment), now.getTime(), now.getTime(), ...key];
    return (await this.#update(REOPEN, values)) === 1;
  }

  /**
   * Ends a payment in the transaction that stores its messages, so that neither exists without the other. The price of the
   * request is used up in it as well, or given back when the payment was not needed.
   *
   * @throws {FinishedElsewhereError} when the payment is not pending any more, or pending for other messages
   * @throws {Error} of the driver, untranslated
   */
  async settle(
    runner: SqlRunner,
    { txid, startedAt, delivery }: PendingPaymentKey & Pick<PendingPayment, 'delivery'>,
    state: 'done' | 'spare',
    now: Date,
  ): Promise<void> {
    const values = [toBinaryName(state), null, now.getTime(), txidToBytes(txid), PENDING, startedAt.getTime()];
    const { changes } = await runner.write(END, values);
    if (changes !== 1) throw new FinishedElsewhereError(`Payment ${txid} has ended already.`);
    const { price } = delivery;
    if (price !== undefined) await endHold(runner, price, state === 'done' ? 'used' : 'paid', now);
  }

  /** Ends a payment whose messages are not stored. The price of the request is given back to its payer. */
  async end(
    { txid, startedAt }: PendingPaymentKey,
    state: 'refused' | 'unused',
    reason: string,
    now: Date,
  ): Promise<void> {
    const price = (await this.findPending(txid))?.delivery.price;
    const values = [toBinaryName(state), reason, now.getTime(), txidToBytes(txid), PENDING, startedAt.getTime()];
    const changes = await this.#update(END, values);
    if (changes !== 1 || price === undefined) return;
    // Until then only the same request can use it.
    await this.#withStoreErrors(() => retryContention(() => endHold(this.sql, price, 'paid', now)));
  }

  /** Notes an attempt, so that other pending payments are tried first. */
  async touch(txid: string, now: Date): Promise<void> {
    await this.#update(TOUCH, [now.getTime(), txidToBytes(txid)]);
  }

  /**
   * Lists pending payments that are due for a recovery attempt, the longest untouched first. A payment is due when it was
   * not touched for `idleMs`, and for as long as it had been pending when it was touched, with an hour as the maximum. The
   * attempts therefore become rarer.
   */
  listPending(now: Date, idleMs: number, limit: number): Promise<PendingPaymentKey[]> {
    return this.#withStoreErrors(async () => {
      const sql = dynamic(
        `SELECT txid, created_at FROM payments
         WHERE state = ? AND updated_at < ? AND (updated_at + updated_at - created_at <= ? OR updated_at <= ?)
         ORDER BY updated_at LIMIT ${Math.trunc(limit)}`,
      );
      const rows = await this.sql.read(sql, [
        PENDING,
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

  countPending(): Promise<number> {
    return this.#withStoreErrors(async () => Number((await this.sql.read(COUNT_PENDING, [PENDING]))[0]?.['count']));
  }

  async #update(...[sql, values]: Parameters<SqlClient['write']>): Promise<number> {
    return this.#withStoreErrors(async () => (await retryContention(() => this.sql.write(sql, values))).changes);
  }

  async #withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translateError(error);
    }
  }
}

type PendingPaymentKey = Pick<PendingPayment, 'txid' | 'startedAt'>;

function toContentValues({ messageKeys, beef, serverOutput, delivery }: NewPayment) {
  return [
    JSON.stringify(messageKeys),
    // What was uploaded may be larger than a packet to the database.
    delivery.beefR2Key === undefined ? Buffer.from(beef) : Buffer.alloc(0),
    serverOutput === undefined ? null : JSON.stringify(serverOutput),
    JSON.stringify(delivery),
  ];
}

function toPendingPayment(row: SqlRow): PendingPayment {
  const serverOutput = row['server_output'];
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    sender: readText(row, 'sender'),
    messageKeys: JSON.parse(String(row['covers'])) as MessageKeys,
    beef: row['beef'] as Buffer,
    serverOutput: serverOutput === null ? undefined : (JSON.parse(String(serverOutput)) as ServerOutput),
    delivery: JSON.parse(String(row['delivery'])) as PaidDelivery,
    startedAt: new Date(Number(row['created_at'])),
  };
}

function txidToBytes(txid: string): Buffer {
  return Buffer.from(txid, 'hex');
}

function readText(row: SqlRow, column: string): string {
  return (row[column] as Buffer).toString('utf8');
}

const PENDING = toBinaryName('taking');
const FIND = prepared('SELECT sender, state, covers, reason FROM payments WHERE txid = ?');
const FIND_PENDING = prepared(
  'SELECT txid, sender, covers, beef, server_output, delivery, created_at FROM payments WHERE txid = ? AND state = ?',
);
const INSERT_PENDING = prepared(
  `INSERT INTO payments (txid, sender, state, covers, beef, server_output, delivery, created_at, updated_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const REOPEN = prepared(
  `UPDATE payments
   SET state = ?, covers = ?, beef = ?, server_output = ?, delivery = ?, reason = NULL, created_at = ?, updated_at = ?
   WHERE txid = ? AND state IN (${REUSABLE_STATES.map(() => '?').join(', ')}) AND sender = ?`,
);
const END = prepared(
  `UPDATE payments SET state = ?, reason = ?, updated_at = ?, delivery = NULL, beef = NULL
   WHERE txid = ? AND state = ? AND created_at = ?`,
);
const COUNT_PENDING = prepared('SELECT COUNT(*) AS count FROM payments WHERE state = ?');
const TOUCH = prepared('UPDATE payments SET updated_at = ? WHERE txid = ?');
