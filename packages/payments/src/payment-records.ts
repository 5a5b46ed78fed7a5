import { type Delivery, encodeName, fixed, type SqlClient, type SqlRow, type SqlRunner } from '@messagebox/shared';
import type { Remittance } from './parse-payment.js';

/** `taking`: written down, and not finished. `done`: the messages are stored. `refused`: the network will never take it. */
export type PaymentState = 'taking' | 'done' | 'refused';

export interface ServerOutput {
  readonly outputIndex: number;
  readonly remittance: Remittance;
}

/** `[recipient, messageId]` of each message that a payment is for. */
export type Covers = readonly (readonly [string, string])[];

export interface PaymentRecord {
  readonly txid: string;
  readonly sender: string;
  readonly state: PaymentState;
  readonly covers: Covers;
  readonly reason: string | undefined;
}

/** A payment on its way. */
export interface OpenPayment {
  readonly txid: string;
  readonly sender: string;
  readonly covers: Covers;
  /** AtomicBEEF. */
  readonly beef: Buffer;
  readonly serverOutput: ServerOutput | undefined;
  /** What is stored and told once the payment is taken. */
  readonly delivery: Delivery;
}

/** Thrown in the transaction that stores messages when somebody else has stored them; nothing is stored twice. */
export class FinishedElsewhereError extends Error {
  override readonly name = 'FinishedElsewhereError';
}

/** The table `payments`. Rejects with what the driver said. */
export class PaymentRecords {
  constructor(private readonly sql: SqlClient) {}

  async find(txid: string): Promise<PaymentRecord | undefined> {
    const [row] = await this.sql.read(FIND, [bytes(txid)]);
    if (row === undefined) return undefined;
    return {
      txid,
      sender: text(row, 'sender'),
      state: text(row, 'state') as PaymentState,
      covers: JSON.parse(String(row['covers'])),
      reason: row['reason'] === null ? undefined : String(row['reason']),
    };
  }

  async begin(payment: OpenPayment, now: Date): Promise<void> {
    const { txid, sender, covers, beef, serverOutput, delivery } = payment;
    await this.sql.write(BEGIN, [
      bytes(txid),
      encodeName(sender),
      encodeName('taking'),
      JSON.stringify(covers),
      beef,
      serverOutput === undefined ? null : JSON.stringify(serverOutput),
      JSON.stringify(delivery),
      now.getTime(),
      now.getTime(),
    ]);
  }

  /**
   * In the transaction that stores the messages: neither is there without the other.
   *
   * @throws {FinishedElsewhereError} when the payment isn't on its way any more
   */
  async finish(runner: SqlRunner, txid: string, now: Date): Promise<void> {
    const { changes } = await runner.write(FINISH, [
      encodeName('done'),
      now.getTime(),
      bytes(txid),
      encodeName('taking'),
    ]);
    if (changes !== 1) throw new FinishedElsewhereError(`Payment ${txid} is finished already.`);
  }

  async refuse(txid: string, reason: string, now: Date): Promise<void> {
    await this.sql.write(REFUSE, [encodeName('refused'), reason, now.getTime(), bytes(txid), encodeName('taking')]);
  }

  /** Payments on their way that nobody has touched since `before`, oldest first. */
  async open(before: Date, limit: number): Promise<OpenPayment[]> {
    const rows = await this.sql.read(OPEN, [encodeName('taking'), before.getTime()]);
    return rows.slice(0, limit).map((row) => ({
      txid: (row['txid'] as Buffer).toString('hex'),
      sender: text(row, 'sender'),
      covers: JSON.parse(String(row['covers'])),
      beef: row['beef'] as Buffer,
      serverOutput: row['server_output'] === null ? undefined : JSON.parse(String(row['server_output'])),
      delivery: JSON.parse(String(row['delivery'])),
    }));
  }
}

function bytes(txid: string): Buffer {
  return Buffer.from(txid, 'hex');
}

function text(row: SqlRow, column: string): string {
  return (row[column] as Buffer).toString('utf8');
}

const FIND = fixed('SELECT sender, state, covers, reason FROM payments WHERE txid = ?');
const BEGIN = fixed(
  `INSERT INTO payments (txid, sender, state, covers, beef, server_output, delivery, created_at, updated_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const FINISH = fixed(
  'UPDATE payments SET state = ?, updated_at = ?, delivery = NULL, beef = NULL WHERE txid = ? AND state = ?',
);
const REFUSE = fixed(
  `UPDATE payments SET state = ?, reason = ?, updated_at = ?, delivery = NULL, beef = NULL
   WHERE txid = ? AND state = ?`,
);
const OPEN = fixed(
  `SELECT txid, sender, covers, beef, server_output, delivery FROM payments
   WHERE state = ? AND updated_at < ? ORDER BY updated_at LIMIT 20`,
);
