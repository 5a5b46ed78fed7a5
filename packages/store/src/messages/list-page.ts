import { getCount, getInteger, getOptionalText, getText } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, type SqlValue, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { findNamedUploads } from '../uploads/named-uploads.js';
import { describeExpiry, mayHoldExpired } from './message-expiry.js';
import { toStoredMessage } from './message-rows.js';
import type { ListQuery, MessagePage, StoredMessage } from './message-store.js';

/** Rows read at a time. With {@link MAX_INLINE_BODY_BYTES} this limits the memory beyond a page's own `maxBytes` to 4 MB. */
const CHUNK_ROWS = 256;
/** A larger body is not read with its row, but only when the page has room for it. */
const MAX_INLINE_BODY_BYTES = 16 * 1024;
/** MySQL reads a whole body to tell its size, so a page with little room reads few rows first. */
const FIRST_CHUNK = { perBytes: 32 * 1024, atLeast: 16 };
const FROM_BOX = `FROM messageBox b JOIN messages m ON m.messageBoxId = b.messageBoxId
  WHERE b.identityKey = ? AND b.type = ? AND m.id > ?`;

interface Candidate {
  readonly row: SqlRow;
  /** Undefined when it was too large to be read with its row. */
  readonly body: string | undefined;
}

/**
 * Reads one page of a box in chunks, so that neither a huge box nor huge bodies are ever in memory beyond the page.
 *
 * @param start row id of the last message before the page, or 0
 */
export async function listPage(sql: SqlClient, query: ListQuery, start: number): Promise<MessagePage> {
  const messages: StoredMessage[] = [];
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  const before = await skipRows(sql, query, start);
  if (before === undefined) return { messages, hasMore: false };
  let after = before;
  let bytes = 0;
  for (let chunk = computeFirstChunkRows(query.maxBytes); ; chunk = CHUNK_ROWS) {
    // One row more than the page needs shows whether there are more.
    const wanted = Math.min(chunk, limit - messages.length + 1);
    const rows = await readChunk(sql, query, after, wanted);
    const selected: Candidate[] = [];
    let full = false;
    for (const row of rows) {
      const size = getInteger(row, 'bytes');
      const count = messages.length + selected.length;
      full = count >= limit || (count > 0 && bytes + size > query.maxBytes);
      if (full) break;
      bytes += size;
      selected.push({ row, body: getOptionalText(row, 'body') });
    }
    messages.push(...(await loadBodies(sql, selected, query.leavesOutLargeBodies ?? false)));
    if (full && messages.length > 0) return { messages, hasMore: true };
    if (!full && rows.length < wanted) return { messages, hasMore: false };
    // Every message of the full page was acknowledged meanwhile: go on with the next ones.
    if (full) bytes = 0;
    // Not undefined: a chunk without rows has ended the page above.
    after = getInteger((full ? selected.at(-1)?.row : rows.at(-1)) as SqlRow, 'id');
  }
}

function computeFirstChunkRows(maxBytes: number): number {
  return Math.min(CHUNK_ROWS, Math.max(FIRST_CHUNK.atLeast, Math.ceil(maxBytes / FIRST_CHUNK.perBytes)));
}

/**
 * The row id after which the page begins. Rows are skipped in the index; none of them is read, unless some may have expired.
 *
 * @returns undefined when there are no messages behind the skipped ones
 */
async function skipRows(sql: SqlClient, query: ListQuery, start: number): Promise<number | undefined> {
  const offset = Math.trunc(query.offset ?? 0);
  if (offset === 0) return start;
  // A list by message id has at most one message, at position 0.
  if (query.messageId !== undefined) return undefined;
  const live = (await mayHoldExpired(sql)) ? ` AND ${describeExpiry(sql, 'm').isLive}` : '';
  const select = dynamic(`SELECT m.id ${FROM_BOX}${live} ORDER BY m.id LIMIT 1 OFFSET ${offset}`);
  const [row] = await sql.read(select, [...toBoxKey(query), start]);
  return row === undefined ? undefined : getInteger(row, 'id') - 1;
}

function readChunk(sql: SqlClient, query: ListQuery, after: number, rows: number): Promise<SqlRow[]> {
  const { bodyBytes } = sql.dialect;
  const { isLive, expiresAt } = describeExpiry(sql, 'm');
  // Nearly every list reads chunks of these two sizes: few texts, so they are prepared.
  const toSql = rows === CHUNK_ROWS || rows === computeFirstChunkRows(query.maxBytes) ? prepared : dynamic;
  const { recipient, messageId } = query;
  // The unique key, so that the size of the box doesn't matter.
  const only = messageId === undefined ? '' : ' AND m.recipient = ? AND m.messageId = ?';
  return sql.read(
    toSql(
      `SELECT m.id, m.messageId, m.sender, m.created_at, m.updated_at, m.body_bytes, ${expiresAt} AS expires_at, ${bodyBytes} AS bytes,
         CASE WHEN ${bodyBytes} <= ${MAX_INLINE_BODY_BYTES} THEN m.body END AS body
       ${FROM_BOX}${only} AND ${isLive}
       ORDER BY m.id LIMIT ${rows}`,
    ),
    [...toBoxKey(query), after, ...(messageId === undefined ? [] : [recipient, messageId].map(toBinaryName))],
  );
}

function toBoxKey({ recipient, messageBox }: ListQuery): SqlValue[] {
  return [toBinaryName(recipient), toBinaryName(messageBox)];
}

/** Leaves out messages whose body can't be read any more: they were acknowledged meanwhile. */
async function loadBodies(
  sql: SqlClient,
  candidates: readonly Candidate[],
  leavesOutLargeBodies: boolean,
): Promise<StoredMessage[]> {
  // `readBodies` does not read those with an upload.
  const isLeftOut = ({ row, body }: Candidate) => leavesOutLargeBodies && body === undefined && !hasUpload(row);
  const missing = candidates
    .filter((candidate) => candidate.body === undefined && !isLeftOut(candidate))
    .map(({ row }) => ({ id: getInteger(row, 'id'), bytes: getInteger(row, 'bytes') }));
  const fetched = new Map<number, string>();
  if (missing.length > 0) {
    const rows = await sql.readLarge(
      dynamic(`SELECT id, body FROM messages WHERE id ${inList(missing.length)}`),
      missing.map(({ id }) => id),
      missing.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    for (const row of rows) fetched.set(getInteger(row, 'id'), getText(row, 'body'));
  }
  const uploads = await findNamedUploads(
    sql,
    candidates.flatMap(({ row }) => (hasUpload(row) ? [getInteger(row, 'id')] : [])),
  );
  return candidates.flatMap((candidate) => {
    const { row, body } = candidate;
    if (isLeftOut(candidate)) return [{ ...toStoredMessage(row, ''), unreadBytes: getInteger(row, 'bytes') }];
    const id = getInteger(row, 'id');
    const text = body ?? fetched.get(id);
    return text === undefined ? [] : [toStoredMessage(row, text, uploads.get(id))];
  });
}

/** `body_bytes` counts the upload as well. So only the few lists that show an upload look for one. */
function hasUpload(row: SqlRow): boolean {
  return getCount(row, 'body_bytes') > getInteger(row, 'bytes');
}

/**
 * The row id of a cursor; 0 without a cursor.
 *
 * @throws {TypeError} when it is not a decimal integer
 */
export function parseCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!/^[0-9]+$/.test(cursor)) throw new TypeError('A cursor is a decimal integer.');
  // Row ids stay below this number, so a larger cursor is behind every message anyway.
  return Math.min(Number(cursor), Number.MAX_SAFE_INTEGER);
}
