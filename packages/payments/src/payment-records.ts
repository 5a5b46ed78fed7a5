import {
  encodeName,
  fixed,
  retryContention,
  type SqlClient,
  type SqlRow,
  type SqlRunner,
  sqlErrorKind,
  translateError,
  varying,
} from '@messagebox/shared';
import type { PaidDelivery } from './paid-delivery.js';
import type { Remittance } from './parse-payment.js';

/**
 * - `taking`: written down, and not finished;
 * - `done`: the messages are stored;
 * - `refused`: the network has not taken it. Its sender may try again;
 * - `unused`: taken, but its messages could not be stored, because an id was taken meanwhile. Its sender may use it for
 *   messages with other ids;
 * - `spare`: taken, but all its messages were stored meanwhile, with another payment. Its sender may use it for others.
 */
export type PaymentState = 'taking' | 'done' | 'refused' | 'unused' | 'spare';

export interface ServerOutput {
  readonly outputIndex: number;
  readonly remittance: Remittance;
}

/** `[recipient, messageBox, messageId]` of each message that a payment is for. */
export type Covers = readonly (readonly [string, string, string])[];

export interface PaymentRecord {
  readonly txid: string;
  readonly sender: string;
  readonly state: PaymentState;
  readonly covers: Covers;
  readonly reason: string | undefined;
}

/** A payment that is to be written down. */
export interface NewPayment {
  readonly txid: string;
  readonly sender: string;
  readonly covers: Covers;
  /** AtomicBEEF. */
  readonly beef: Uint8Array;
  readonly serverOutput: ServerOutput | undefined;
  readonly delivery: PaidDelivery;
}

/** A payment on its way. */
export interface OpenPayment extends NewPayment {
  /** When it was written down for these messages: what is done about it counts only while it still is for them. */
  readonly begunAt: Date;
}

/** However long a payment has been on its way, it is looked at so often. */
const LONGEST_PAUSE_MS = 3_600_000;

/** Thrown in the transaction that stores messages when somebody else has stored them; nothing is stored twice. */
export class FinishedElsewhereError extends Error {
  override readonly name = 'FinishedElsewhereError';
}

/** The table `payments`. Methods throw {@link StoreUnavailableError}, but for `settle`. */
export class PaymentRecords {
  constructor(private readonly sql: SqlClient) {}

  find(txid: string): Promise<PaymentRecord | undefined> {
    return this.#guard(async () => {
      const [row] = await this.sql.read(FIND, [bytes(txid)]);
      if (row === undefined) return undefined;
      return {
        txid,
        sender: text(row, 'sender'),
        state: text(row, 'state') as PaymentState,
        covers: JSON.parse(String(row['covers'])) as Covers,
        reason: row['reason'] === null ? undefined : String(row['reason']),
      };
    });
  }

  /** A payment that is on its way; undefined when it isn't. */
  findOpen(txid: string): Promise<OpenPayment | undefined> {
    return this.#guard(async () => {
      const [row] = await this.sql.read(FIND_OPEN, [bytes(txid), TAKING]);
      return row === undefined ? undefined : openPayment(row);
    });
  }

  /** @returns false when the transaction is known already; nothing is changed then */
  begin(payment: NewPayment, now: Date): Promise<boolean> {
    const { txid, sender } = payment;
    const values = [bytes(txid), encodeName(sender), TAKING, ...given(payment), now.getTime(), now.getTime()];
    return this.#guard(async () => {
      try {
        await retryContention(() => this.sql.write(BEGIN, values));
        return true;
      } catch (error) {
        if (sqlErrorKind(error) === 'duplicate') return false;
        throw error;
      }
    });
  }

  /** Takes an unused, spare or refused payment once more. @returns false when it isn't that any more, or not this sender's */
  async beginAgain(payment: NewPayment, now: Date): Promise<boolean> {
    const { txid, sender } = payment;
    const key = [bytes(txid), UNUSED, SPARE, REFUSED, encodeName(sender)];
    const values = [TAKING, ...given(payment), now.getTime(), now.getTime(), ...key];
    return (await this.#change(BEGIN_AGAIN, values)) === 1;
  }

  /**
   * In the transaction that stores the messages: neither is there without the other.
   *
   * @throws {FinishedElsewhereError} when the payment isn't on its way any more, or for other messages, and what the
   *   driver says
   */
  async settle(runner: SqlRunner, { txid, begunAt }: Begun, state: 'done' | 'spare', now: Date): Promise<void> {
    const values = [encodeName(state), null, now.getTime(), bytes(txid), TAKING, begunAt.getTime()];
    const { changes } = await runner.write(END, values);
    if (changes !== 1) throw new FinishedElsewhereError(`Payment ${txid} is finished already.`);
  }

  /** Ends a payment without a message. */
  async end({ txid, begunAt }: Begun, state: 'refused' | 'unused', reason: string, now: Date): Promise<void> {
    const values = [encodeName(state), reason, now.getTime(), bytes(txid), TAKING, begunAt.getTime()];
    await this.#change(END, values);
  }

  /** It was tried, and others are to have their turn first. */
  async touch(txid: string, now: Date): Promise<void> {
    await this.#change(TOUCH, [now.getTime(), bytes(txid)]);
  }

  /**
   * Payments on their way that nobody has touched for `idleMs`, nor for as long as they had been on their way by then, an
   * hour at most: so each is looked at less and less often. The longest untouched first.
   */
  open(now: Date, idleMs: number, limit: number): Promise<Begun[]> {
    return this.#guard(async () => {
      const sql = varying(
        `SELECT txid, created_at FROM payments
         WHERE state = ? AND updated_at < ? AND (updated_at + updated_at - created_at <= ? OR updated_at <= ?)
         ORDER BY updated_at LIMIT ${Math.trunc(limit)}`,
      );
      const rows = await this.sql.read(sql, [
        TAKING,
        now.getTime() - idleMs,
        now.getTime(),
        now.getTime() - LONGEST_PAUSE_MS,
      ]);
      return rows.map((row) => ({
        txid: (row['txid'] as Buffer).toString('hex'),
        begunAt: new Date(Number(row['created_at'])),
      }));
    });
  }

  countOpen(): Promise<number> {
    return this.#guard(async () => Number((await this.sql.read(COUNT, [TAKING]))[0]?.['count']));
  }

  async #change(...[sql, values]: Parameters<SqlClient['write']>): Promise<number> {
    return this.#guard(async () => (await retryContention(() => this.sql.write(sql, values))).changes);
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translateError(error);
    }
  }
}

type Begun = Pick<OpenPayment, 'txid' | 'begunAt'>;

function given({ covers, beef, serverOutput, delivery }: NewPayment) {
  return [
    JSON.stringify(covers),
    Buffer.from(beef),
    serverOutput === undefined ? null : JSON.stringify(serverOutput),
    JSON.stringify(delivery),
  ];
}

function openPayment(row: SqlRow): OpenPayment {
  const serverOutput = row['server_output'];
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    sender: text(row, 'sender'),
    covers: JSON.parse(String(row['covers'])) as Covers,
    beef: row['beef'] as Buffer,
    serverOutput: serverOutput === null ? undefined : (JSON.parse(String(serverOutput)) as ServerOutput),
    delivery: JSON.parse(String(row['delivery'])) as PaidDelivery,
    begunAt: new Date(Number(row['created_at'])),
  };
}

function bytes(txid: string): Buffer {
  return Buffer.from(txid, 'hex');
}

function text(row: SqlRow, column: string): string {
  return (row[column] as Buffer).toString('utf8');
}

const TAKING = encodeName('taking');
const UNUSED = encodeName('unused');
const SPARE = encodeName('spare');
const REFUSED = encodeName('refused');
const FIND = fixed('SELECT sender, state, covers, reason FROM payments WHERE txid = ?');
const FIND_OPEN = fixed(
  'SELECT txid, sender, covers, beef, server_output, delivery, created_at FROM payments WHERE txid = ? AND state = ?',
);
const BEGIN = fixed(
  `INSERT INTO payments (txid, sender, state, covers, beef, server_output, delivery, created_at, updated_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const BEGIN_AGAIN = fixed(
  `UPDATE payments
   SET state = ?, covers = ?, beef = ?, server_output = ?, delivery = ?, reason = NULL, created_at = ?, updated_at = ?
   WHERE txid = ? AND state IN (?, ?, ?) AND sender = ?`,
);
const END = fixed(
  `UPDATE payments SET state = ?, reason = ?, updated_at = ?, delivery = NULL, beef = NULL
   WHERE txid = ? AND state = ? AND created_at = ?`,
);
const COUNT = fixed('SELECT COUNT(*) AS count FROM payments WHERE state = ?');
const TOUCH = fixed('UPDATE payments SET updated_at = ? WHERE txid = ?');
