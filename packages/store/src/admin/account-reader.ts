import { getDate, getInteger, getName, getOptionalDate, getText } from '../client/rows.js';
import { prepared, type SqlClient, type SqlRow, type SqlValue, toBinaryName } from '../client/sql-client.js';
import { withStoreErrors } from '../client/translate-error.js';
import { describeExpiry } from '../messages/message-expiry.js';
import { readBodies } from '../messages/message-headers.js';

/** Rows that one read looks at. */
const BATCH_SIZE = 250;

/** A message as its recipient may take it along. */
export interface ExportedMessage {
  /** Undefined for a message whose box was deleted, which the reference server allowed. */
  readonly messageBox: string | undefined;
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
}

/** A rule of the identity about who may write to it. */
export interface ExportedPermission {
  /** The row id: for the next read. */
  readonly id: number;
  readonly messageBox: string;
  /** Undefined: every sender. */
  readonly sender: string | undefined;
  readonly recipientFee: number;
  /** Whether senders may be told what becomes of their messages. Undefined: not decided. */
  readonly receipts: boolean | undefined;
  readonly createdAt: Date;
}

/** A payment that the identity made to this server, or through it. */
export interface ExportedPayment {
  readonly transactionId: string;
  readonly state: string;
  readonly createdAt: Date;
}

/** A part of what an account holds. */
export interface AccountBatch<T> {
  readonly items: readonly T[];
  /** Where the next read begins; undefined after the last one. */
  readonly next: string | undefined;
}

/** Reads what belongs to an identity, in the order of unique keys. All methods throw {@link StoreUnavailableError}. */
export class AccountReader {
  constructor(
    private readonly sql: SqlClient,
    private readonly identityKey: string,
  ) {}

  /**
   * Messages to the identity that have not expired, in the order of the bytes of their ids.
   *
   * @param after a message id; '' for the first ones
   * @param maxBytes of bodies. The first message is returned whatever its size
   */
  readMessages(after: string, maxBytes: number): Promise<AccountBatch<ExportedMessage>> {
    const { isLive, expiresAt } = describeExpiry(this.sql, 'm');
    const select = prepared(
      `SELECT m.id, m.messageId, m.sender, b.type, m.created_at, ${expiresAt} AS expires,
         COALESCE(m.body_bytes, ${this.sql.dialect.bodyBytes}) AS bytes
       FROM messages m LEFT JOIN messageBox b ON b.messageBoxId = m.messageBoxId
       WHERE m.recipient = ? AND m.messageId > ? AND ${isLive} ORDER BY m.messageId LIMIT ${BATCH_SIZE}`,
    );
    return this.#read(select.text, after, async (rows) => {
      const taken = takeWithin(rows, maxBytes);
      const bodies = await readBodies(
        this.sql,
        taken.map((row) => getInteger(row, 'id')),
        taken.reduce((sum, row) => sum + getInteger(row, 'bytes'), 0),
      );
      const items = taken.flatMap((row): ExportedMessage[] => {
        const body = bodies.get(getInteger(row, 'id'));
        return body === undefined ? [] : [toMessage(row, body)]; // acknowledged meanwhile
      });
      return { items, count: taken.length, last: (row) => getName(row, 'messageId') };
    });
  }

  /** Rules of the identity, in the order of storing. @param after a row id; '' for the first ones */
  readPermissions(after: string): Promise<AccountBatch<ExportedPermission>> {
    const text = `SELECT id, message_box, sender, recipient_fee, receipts, created_at FROM message_permissions
      WHERE recipient = ? AND id > ? ORDER BY id LIMIT ${BATCH_SIZE}`;
    return this.#read(text, Number(after || 0), async (rows) => ({
      items: rows.map(toPermission),
      count: rows.length,
      last: (row) => getText(row, 'id'),
    }));
  }

  /** Payments of the identity, for messages and for requests. @param after a transaction id; '' for the first ones */
  readPayments(after: string): Promise<AccountBatch<ExportedPayment>> {
    const pageOf = (table: string) => `SELECT txid, state, created_at FROM ${table}
      WHERE sender = ? AND txid > ? ORDER BY txid LIMIT ${BATCH_SIZE}`;
    // A transaction is in one of the tables; where it is in both, the next page begins behind both.
    const text = `SELECT txid, state, created_at FROM (${pageOf('payments')}) AS for_messages
      UNION ALL SELECT txid, state, created_at FROM (${pageOf('request_payments')}) AS for_requests
      ORDER BY txid LIMIT ${BATCH_SIZE}`;
    const take = async (rows: SqlRow[]) => ({
      items: rows.map(toPayment),
      count: rows.length,
      last: (row: SqlRow) => (row['txid'] as Buffer).toString('hex'),
    });
    return this.#read(text, Buffer.from(after, 'hex'), take, 2);
  }

  #read<T>(
    text: string,
    after: string | number | Buffer,
    take: (rows: SqlRow[]) => Promise<{ items: T[]; count: number; last: (row: SqlRow) => string }>,
    selects = 1,
  ): Promise<AccountBatch<T>> {
    return withStoreErrors(async () => {
      const start: SqlValue = typeof after === 'string' ? toBinaryName(after) : after;
      const rows = await this.sql.read(
        prepared(text),
        Array.from({ length: selects }, () => [toBinaryName(this.identityKey), start]).flat(),
      );
      const { items, count, last } = await take(rows);
      const lastTaken = rows[count - 1];
      const isEnd = lastTaken === undefined || (count === rows.length && rows.length < BATCH_SIZE);
      return { items, next: isEnd ? undefined : last(lastTaken) };
    });
  }
}

function takeWithin(rows: readonly SqlRow[], maxBytes: number): SqlRow[] {
  let bytes = 0;
  const end = rows.findIndex((row, index) => {
    bytes += getInteger(row, 'bytes');
    return index > 0 && bytes > maxBytes;
  });
  return end < 0 ? [...rows] : rows.slice(0, end);
}

function toMessage(row: SqlRow, body: string): ExportedMessage {
  return {
    messageBox: row['type'] === null ? undefined : getName(row, 'type'),
    messageId: getName(row, 'messageId'),
    sender: getName(row, 'sender'),
    body,
    createdAt: getDate(row, 'created_at'),
    expiresAt: getOptionalDate(row, 'expires'),
  };
}

function toPermission(row: SqlRow): ExportedPermission {
  return {
    id: getInteger(row, 'id'),
    messageBox: getName(row, 'message_box'),
    sender: getName(row, 'sender') || undefined,
    recipientFee: getInteger(row, 'recipient_fee'),
    receipts: row['receipts'] === null ? undefined : getInteger(row, 'receipts') !== 0,
    createdAt: getDate(row, 'created_at'),
  };
}

function toPayment(row: SqlRow): ExportedPayment {
  return {
    transactionId: (row['txid'] as Buffer).toString('hex'),
    state: getName(row, 'state'),
    createdAt: new Date(getInteger(row, 'created_at')),
  };
}
