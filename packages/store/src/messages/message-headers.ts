import { chunks } from '../client/chunks.js';
import { getCount, getInteger, getName, getText } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { describeExpiry } from './message-expiry.js';
import type { HeaderQuery, MessageHeader } from './message-store.js';

/** Bodies in one statement. */
const MAX_BODIES_PER_STATEMENT = 200;
const SELECT_NEWEST = prepared('SELECT MAX(id) AS id FROM messages');

/**
 * Reads headers in the order of the primary key. The LEFT JOIN keeps this order: with an inner join, a database with few
 * boxes may begin with the boxes. A message may be without a box, which the reference server allowed.
 */
export async function listHeaders(sql: SqlClient, { after, upTo, limit }: HeaderQuery): Promise<MessageHeader[]> {
  const end = upTo === undefined ? '' : ' AND m.id <= ?';
  const rows = await sql.read(
    prepared(
      `SELECT m.id, m.recipient, m.sender, m.messageId, b.type,
         COALESCE(m.body_bytes, ${sql.dialect.bodyBytes}) AS bytes
       FROM messages m LEFT JOIN messageBox b ON b.messageBoxId = m.messageBoxId
       WHERE m.id > ?${end} ORDER BY m.id LIMIT ${Math.max(1, Math.trunc(limit))}`,
    ),
    upTo === undefined ? [after] : [after, upTo],
  );
  return rows.map((row) => ({
    id: getInteger(row, 'id'),
    recipient: getName(row, 'recipient'),
    messageBox: row['type'] === null ? undefined : getName(row, 'type'),
    messageId: getName(row, 'messageId'),
    sender: getName(row, 'sender'),
    bodyBytes: getInteger(row, 'bytes'),
  }));
}

/**
 * Reads the bodies of these row ids; those of deleted and of expired messages are missing. So are those of messages with an
 * upload, of which the body is only a part.
 */
export async function readBodies(sql: SqlClient, ids: readonly number[]): Promise<Map<number, string>> {
  const bodies = new Map<number, string>();
  const { isLive } = describeExpiry(sql, 'm');
  for (const chunk of chunks(ids, MAX_BODIES_PER_STATEMENT)) {
    const select = `SELECT m.id, m.body, m.body_bytes FROM messages m WHERE m.id ${inList(chunk.length)} AND ${isLive}`;
    const rows = await sql.readLarge(dynamic(select), chunk, await sumBodies(sql, chunk));
    for (const row of rows) {
      const body = getText(row, 'body');
      if (getCount(row, 'body_bytes') <= Buffer.byteLength(body)) bodies.set(getInteger(row, 'id'), body);
    }
  }
  return bodies;
}

/** Bytes of these bodies, as {@link SqlClient.readLarge} wants to know. MySQL would read them to tell, and makes no use of it. */
async function sumBodies(sql: SqlClient, ids: readonly number[]): Promise<number> {
  if (sql.engine === 'mysql') return 0;
  const select = `SELECT COALESCE(SUM(${sql.dialect.bodyBytes}), 0) AS bytes FROM messages m WHERE m.id ${inList(ids.length)}`;
  const [row] = await sql.read(dynamic(select), ids);
  return getInteger(row as SqlRow, 'bytes'); // an aggregate has a row
}

/** The highest row id that is committed now; 0 without messages. */
export async function findNewestId(sql: SqlClient): Promise<number> {
  const [row] = await sql.read(SELECT_NEWEST, []);
  return row === undefined || row['id'] === null ? 0 : getInteger(row, 'id');
}
