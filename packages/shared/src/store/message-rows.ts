import type { NewMessage, StoredMessage } from './message-store.js';
import {
  decodeName,
  encodeName,
  fixed,
  type Sql,
  type SqlRow,
  type SqlRunner,
  type SqlValue,
  varying,
} from './sql-client.js';

/** A message and the row id of the box that it goes to. */
export interface MessageRow {
  readonly message: NewMessage;
  readonly boxId: number;
}

/** What the database already has under a recipient's message id. */
export interface ExistingMessage {
  readonly sender: string;
  /** Undefined for a message whose box is gone (rows that the reference server left behind). */
  readonly messageBox: string | undefined;
}

const ROWS_PER_STATEMENT = 200;
/** Far below the smallest `max_allowed_packet` in use, also when every byte has to be escaped. */
const BYTES_PER_STATEMENT = 2 * 1024 * 1024;

const INSERT_HEAD = 'INSERT INTO messages (messageBoxId, recipient, sender, messageId, body, body_bytes) VALUES ';
const INSERT_ROW = '(?, ?, ?, ?, ?, ?)';
const INSERT_ONE = fixed(INSERT_HEAD + INSERT_ROW);

/** Statements that together insert the rows in their order. One statement is a transaction of its own. */
export function insertStatements(rows: readonly MessageRow[]): { sql: Sql; values: SqlValue[] }[] {
  const [only] = rows;
  if (rows.length === 1 && only) return [{ sql: INSERT_ONE, values: insertValues(only) }];
  return chunkRows(rows).map((chunk) => ({
    sql: varying(INSERT_HEAD + chunk.map(() => INSERT_ROW).join(', ')),
    values: chunk.flatMap(insertValues),
  }));
}

function insertValues({ message, boxId }: MessageRow): SqlValue[] {
  return [
    boxId,
    encodeName(message.recipient),
    encodeName(message.sender),
    encodeName(message.messageId),
    message.body,
    Buffer.byteLength(message.body),
  ];
}

function chunkRows(rows: readonly MessageRow[]): MessageRow[][] {
  const chunks: MessageRow[][] = [];
  let chunk: MessageRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = Buffer.byteLength(row.message.body);
    if (chunk.length > 0 && (chunk.length >= ROWS_PER_STATEMENT || bytes + size > BYTES_PER_STATEMENT)) {
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

/** Those of `messages` whose recipient already has their id, by {@link idKey}. */
export async function findExisting(
  sql: SqlRunner,
  messages: readonly NewMessage[],
): Promise<Map<string, ExistingMessage>> {
  const found = new Map<string, ExistingMessage>();
  for (let start = 0; start < messages.length; start += ROWS_PER_STATEMENT) {
    const chunk = messages.slice(start, start + ROWS_PER_STATEMENT);
    const rows = await sql.read(
      varying(
        `SELECT m.recipient, m.messageId, m.sender, b.type FROM messages m
         LEFT JOIN messageBox b ON b.messageBoxId = m.messageBoxId
         WHERE ${chunk.map(() => '(m.recipient = ? AND m.messageId = ?)').join(' OR ')}`,
      ),
      chunk.flatMap(({ recipient, messageId }) => [encodeName(recipient), encodeName(messageId)]),
    );
    for (const row of rows) {
      const key = idKey({ recipient: decodeName(row['recipient']), messageId: decodeName(row['messageId']) });
      const box = row['type'];
      found.set(key, { sender: decodeName(row['sender']), messageBox: box === null ? undefined : decodeName(box) });
    }
  }
  return found;
}

/** A message id is unique per recipient; both are free text, hence the length between them. */
export function idKey({ recipient, messageId }: Pick<NewMessage, 'recipient' | 'messageId'>): string {
  return `${recipient.length}:${recipient}${messageId}`;
}

export function toStoredMessage(row: SqlRow, body: string): StoredMessage {
  return {
    messageId: decodeName(row['messageId']),
    sender: decodeName(row['sender']),
    body,
    createdAt: toDate(row['created_at']),
    updatedAt: toDate(row['updated_at']),
    cursor: String(row['id']),
  };
}

/** MySQL's driver gives a Date, SQLite holds milliseconds. */
function toDate(value: unknown): Date {
  return new Date(value as Date | number);
}
