import { chunks } from '../client/chunks.js';
import { dynamic, prepared, type SqlClient, type SqlValue, type SqlWrite } from '../client/sql-client.js';
import { listRows } from '../client/sql-text.js';
import type { ReceiptsConfig } from '../client/store-config.js';
import { ReceiptHandles, type ReceiptSubject } from './receipt-handles.js';
import { SenderAllowance } from './sender-allowance.js';

/** What became of a message that is gone. */
export type ReceiptState = 'acknowledged' | 'expired';

/** Bytes of a receipt on the disk: 20 of the handle, 5 of its state and its end, and what the database adds, with the index. */
export const RECEIPT_BYTES = 64;
const ROWS_PER_STATEMENT = 500;
const STATE_NUMBERS: Readonly<Record<ReceiptState, number>> = { acknowledged: 1, expired: 2 };
/** REPLACE, because an id may be used again after its message is gone. */
const INSERT_HEAD = 'REPLACE INTO receipts (handle, state, expires_at) VALUES ';
const INSERT_ROW = '(?, ?, ?)';
const INSERT_ONE = prepared(INSERT_HEAD + INSERT_ROW);

/**
 * Remembers for a bounded time what became of messages that are gone: a row of 25 bytes for each, which names neither
 * identities nor ids. It is written in the transaction that removes the message.
 *
 * The number of receipts is bounded twice. Those about one sender's messages are counted in this process, as they are
 * written; beyond the limit no more are written. Of those of all senders, `ReceiptPurger` removes the oldest. In both cases
 * the sender is told `unknown`.
 */
class Receipts {
  readonly handles: ReceiptHandles;
  /** Most receipts of all senders. */
  readonly maxRows: number;
  readonly #lifeSeconds: number;
  readonly #allowance: SenderAllowance;

  constructor({ key, days, maxBytes, maxBytesPerSender }: ReceiptsConfig) {
    this.handles = new ReceiptHandles(key);
    this.maxRows = Math.max(1, Math.floor(maxBytes / RECEIPT_BYTES));
    this.#lifeSeconds = days * 86_400;
    this.#allowance = new SenderAllowance(
      Math.max(1, Math.floor(maxBytesPerSender / RECEIPT_BYTES)),
      this.#lifeSeconds,
    );
  }

  /** The writes that remember these messages. None for a sender who has no room. */
  buildWrites(subjects: readonly ReceiptSubject[], state: ReceiptState): SqlWrite[] {
    const expiresAt = Math.ceil(Date.now() / 1_000) + this.#lifeSeconds;
    const handles = subjects
      .filter(({ sender }) => this.#allowance.take(sender))
      .map((subject) => this.handles.of(subject))
      // Sorted, so that two transactions with the same receipts don't deadlock.
      .sort(Buffer.compare);
    return chunks(handles, ROWS_PER_STATEMENT).map((chunk) => ({
      sql: chunk.length === 1 ? INSERT_ONE : dynamic(INSERT_HEAD + listRows(INSERT_ROW, chunk.length)),
      values: chunk.flatMap((handle): SqlValue[] => [handle, STATE_NUMBERS[state], expiresAt]),
    }));
  }
}

/** The state that a row's number means. */
export function toReceiptState(number: number): ReceiptState {
  return number === STATE_NUMBERS.expired ? 'expired' : 'acknowledged';
}

const opened = new WeakMap<SqlClient, Receipts>();

/** The receipts of a database, as it was opened. Undefined: nothing is remembered. */
export function openReceipts(sql: SqlClient): Receipts | undefined {
  if (sql.receipts === undefined) return undefined;
  let receipts = opened.get(sql);
  if (receipts === undefined) {
    receipts = new Receipts(sql.receipts);
    opened.set(sql, receipts);
  }
  return receipts;
}
