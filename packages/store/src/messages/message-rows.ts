import { chunks } from '../client/chunks.js';
import { getDate, getName, getOptionalDate, getText } from '../client/rows.js';
import {
  dynamic,
  fromBinaryName,
  prepared,
  type Sql,
  type SqlClient,
  type SqlRow,
  type SqlValue,
  toBinaryName,
} from '../client/sql-client.js';
import { listRows } from '../client/sql-text.js';
import { removeExpired } from '../receipts/expire.js';
import { describeExpiry } from './message-expiry.js';
import type { NewMessage, StoredMessage, StoredUpload } from './message-store.js';

/** A message and the row id of its box. */
export interface MessageRow {
  readonly message: NewMessage;
  readonly boxId: number;
}

/** The message that the database has under a recipient's message id. */
export interface ExistingMessage {
  /** The row id, in decimal digits. */
  readonly cursor: string;
  readonly sender: string;
  /** Undefined for a message whose box was deleted, which the reference server allowed. */
  readonly messageBox: string | undefined;
}

const MAX_ROWS_PER_STATEMENT = 200;
/** Far below the smallest `max_allowed_packet` in use, even when every byte has to be escaped. */
const MAX_BYTES_PER_STATEMENT = 2 * 1024 * 1024;

const INSERT_HEAD = `INSERT INTO messages
  (messageBoxId, recipient, sender, messageId, body, shared_body_id, body_bytes, expires_at, carries_payment) VALUES `;
const INSERT_ROW = '(?, ?, ?, ?, ?, ?, ?, ?, ?)';
const INSERT_ONE = prepared(INSERT_HEAD + INSERT_ROW);

/** A statement that inserts rows. */
export interface InsertStatement {
  readonly sql: Sql;
  /** @param bodyIds the row ids of the bodies that are stored once */
  getValues(bodyIds: ReadonlyMap<string, number>): SqlValue[];
}

/**
 * Statements that insert the rows in their order. A single statement needs no transaction around it.
 *
 * @param shared bodies that are stored once; the rows refer to them
 */
export function buildInsertStatements(
  rows: readonly MessageRow[],
  toSqlTime: SqlClient['toSqlTime'],
  shared: ReadonlySet<string>,
): InsertStatement[] {
  const chunks = rows.length === 1 ? [rows] : splitBySize(rows, shared);
  return chunks.map((chunk) => ({
    sql: chunk.length === 1 ? INSERT_ONE : dynamic(INSERT_HEAD + listRows(INSERT_ROW, chunk.length)),
    getValues: (bodyIds) => chunk.flatMap((row) => toInsertValues(row, toSqlTime, bodyIds.get(row.message.body))),
  }));
}

function toInsertValues(
  { message, boxId }: MessageRow,
  toSqlTime: SqlClient['toSqlTime'],
  sharedBodyId: number | undefined,
): SqlValue[] {
  const { carriesPayment = false } = message;
  return [
    boxId,
    toBinaryName(message.recipient),
    toBinaryName(message.sender),
    toBinaryName(message.messageId),
    sharedBodyId === undefined ? message.body : '',
    sharedBodyId ?? null,
    // With the upload, which counts for quotas like a body.
    Buffer.byteLength(message.body) + (message.upload?.bytes ?? 0),
    message.expiresAt === undefined || carriesPayment ? null : toSqlTime(message.expiresAt),
    carriesPayment ? 1 : 0,
  ];
}

function splitBySize(rows: readonly MessageRow[], shared: ReadonlySet<string>): MessageRow[][] {
  const chunks: MessageRow[][] = [];
  let chunk: MessageRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    const { body } = row.message;
    const size = shared.has(body) ? 0 : Buffer.byteLength(body);
    if (chunk.length > 0 && (chunk.length >= MAX_ROWS_PER_STATEMENT || bytes + size > MAX_BYTES_PER_STATEMENT)) {
      chunks.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(row);
    bytes += size;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}

/**
 * Reads the messages that the recipients of `messages` already have under the same ids, by {@link toMessageKey}, except for
 * those that have expired.
 */
export async function findExistingMessages(
  sql: SqlClient,
  messages: readonly NewMessage[],
): Promise<Map<string, ExistingMessage>> {
  const { isLive } = describeExpiry(sql, 'm');
  const found = new Map<string, ExistingMessage>();
  for (const chunk of chunks(messages, MAX_ROWS_PER_STATEMENT)) {
    const rows = await sql.read(
      dynamic(
        `SELECT m.id, m.recipient, m.messageId, m.sender, b.type FROM messages m
         LEFT JOIN messageBox b ON b.messageBoxId = m.messageBoxId
         WHERE (${matchAnyKey('m', chunk)}) AND ${isLive}`,
      ),
      toKeyValues(chunk),
    );
    for (const row of rows) {
      const key = toMessageKey({ recipient: getName(row, 'recipient'), messageId: getName(row, 'messageId') });
      const box = row['type'];
      found.set(key, {
        cursor: getText(row, 'id'),
        sender: getName(row, 'sender'),
        messageBox: box === null ? undefined : fromBinaryName(box),
      });
    }
  }
  return found;
}

/**
 * Removes expired messages that the recipients of `messages` have under the same ids, so that their ids are free.
 * Rejects with the driver's errors.
 */
export async function removeExpiredMessages(sql: SqlClient, messages: readonly NewMessage[]): Promise<void> {
  for (const chunk of chunks(messages, MAX_ROWS_PER_STATEMENT)) {
    await removeExpired(sql, (table) => matchAnyKey(table, chunk), toKeyValues(chunk));
  }
}

function matchAnyKey(table: string, messages: readonly NewMessage[]): string {
  return messages.map(() => `(${table}.recipient = ? AND ${table}.messageId = ?)`).join(' OR ');
}

function toKeyValues(messages: readonly NewMessage[]): SqlValue[] {
  return messages.flatMap(({ recipient, messageId }) => [toBinaryName(recipient), toBinaryName(messageId)]);
}

/** The key of a message in maps: an id is unique per recipient. Both are free text, so the length keeps them apart. */
export function toMessageKey({ recipient, messageId }: Pick<NewMessage, 'recipient' | 'messageId'>): string {
  return `${recipient.length}:${recipient}${messageId}`;
}

/** The message of a row, with its body, which may have been read by another query. */
export function toStoredMessage(row: SqlRow, body: string, upload?: StoredUpload): StoredMessage {
  return {
    messageId: getName(row, 'messageId'),
    sender: getName(row, 'sender'),
    body,
    createdAt: getDate(row, 'created_at'),
    updatedAt: getDate(row, 'updated_at'),
    expiresAt: getOptionalDate(row, 'expires_at'),
    ...(upload === undefined ? {} : { upload }),
    cursor: getText(row, 'id'),
  };
}
