import { toStoredMessage } from './message-rows.js';
import type { ListQuery, MessagePage, StoredMessage } from './message-store.js';
import { encodeName, fixed, type SqlClient, type SqlRow, type SqlValue, varying } from './sql-client.js';

/** Rows read at a time. With {@link INLINE_BYTES} this bounds what is held beyond a page's own `maxBytes`: 4 MB. */
const CHUNK_ROWS = 256;
/** A larger body is left out of the first reading and fetched only when the page has room for it. */
const INLINE_BYTES = 16 * 1024;
/** MySQL reads a body whole to tell its size, so that a page with little room looks at few rows first. */
const FIRST_ROWS = { perBytes: 32 * 1024, atLeast: 16 };
const OF_BOX = `FROM messageBox b JOIN messages m ON m.messageBoxId = b.messageBoxId
  WHERE b.identityKey = ? AND b.type = ? AND m.id > ?`;

interface Candidate {
  readonly row: SqlRow;
  /** Null when it was too large to come along. */
  readonly body: string | null;
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
  for (let chunk = firstRows(query.maxBytes); ; chunk = CHUNK_ROWS) {
    // One row more than is wanted tells whether there is more.
    const wanted = Math.min(chunk, limit - messages.length + 1);
    const rows = await readChunk(sql, query, after, wanted);
    const taken: Candidate[] = [];
    let full = false;
    for (const row of rows) {
      const size = Number(row['bytes']);
      const count = messages.length + taken.length;
      full = count >= limit || (count > 0 && bytes + size > query.maxBytes);
      if (full) break;
      bytes += size;
      taken.push({ row, body: row['body'] as string | null });
    }
    messages.push(...(await withBodies(sql, taken)));
    if (full && messages.length > 0) return { messages, hasMore: true };
    if (!full && rows.length < wanted) return { messages, hasMore: false };
    // A full page of which every message was acknowledged meanwhile is no page: the next ones are.
    if (full) bytes = 0;
    after = Number((full ? taken.at(-1)?.row : rows.at(-1))?.['id']);
  }
}

function firstRows(maxBytes: number): number {
  return Math.min(CHUNK_ROWS, Math.max(FIRST_ROWS.atLeast, Math.ceil(maxBytes / FIRST_ROWS.perBytes)));
}

/**
 * The row id that the page comes after. Rows are skipped in the index alone: none of them is read.
 *
 * @returns undefined when there are no more messages than are to be skipped
 */
async function skipRows(sql: SqlClient, query: ListQuery, start: number): Promise<number | undefined> {
  const offset = Math.trunc(query.offset ?? 0);
  if (offset === 0) return start;
  // The one message that can be meant is the first of its page.
  if (query.messageId !== undefined) return undefined;
  const [row] = await sql.read(varying(`SELECT m.id ${OF_BOX} ORDER BY m.id LIMIT 1 OFFSET ${offset}`), [
    ...namesOf(query),
    start,
  ]);
  return row === undefined ? undefined : Number(row['id']) - 1;
}

function readChunk(sql: SqlClient, query: ListQuery, after: number, rows: number): Promise<SqlRow[]> {
  const { bodyBytes } = sql.phrases;
  // Whole chunks are what nearly every list reads: few texts, worth being prepared.
  const prepared = rows === CHUNK_ROWS || rows === firstRows(query.maxBytes) ? fixed : varying;
  const { recipient, messageId } = query;
  // By its unique key, whatever the size of the box.
  const only = messageId === undefined ? '' : ' AND m.recipient = ? AND m.messageId = ?';
  return sql.read(
    prepared(
      `SELECT m.id, m.messageId, m.sender, m.created_at, m.updated_at, ${bodyBytes} AS bytes,
         CASE WHEN ${bodyBytes} <= ${INLINE_BYTES} THEN m.body END AS body
       ${OF_BOX}${only}
       ORDER BY m.id LIMIT ${rows}`,
    ),
    [...namesOf(query), after, ...(messageId === undefined ? [] : [recipient, messageId].map(encodeName))],
  );
}

function namesOf({ recipient, messageBox }: ListQuery): SqlValue[] {
  return [encodeName(recipient), encodeName(messageBox)];
}

/** A body that is gone by the time it is fetched belongs to a message that was acknowledged meanwhile: left out. */
async function withBodies(sql: SqlClient, candidates: readonly Candidate[]): Promise<StoredMessage[]> {
  const missing = candidates.filter(({ body }) => body === null).map(({ row }) => Number(row['id']));
  const fetched = new Map<number, string>();
  if (missing.length > 0) {
    const rows = await sql.read(
      varying(`SELECT id, body FROM messages WHERE id IN (${missing.map(() => '?').join(', ')})`),
      missing,
    );
    for (const row of rows) fetched.set(Number(row['id']), row['body'] as string);
  }
  return candidates.flatMap(({ row, body }) => {
    const text = body ?? fetched.get(Number(row['id']));
    return text === undefined ? [] : [toStoredMessage(row, text)];
  });
}

/**
 * The row id in a cursor; 0 for none.
 *
 * @throws {TypeError} when it is not a decimal integer
 */
export function parseCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!/^[0-9]+$/.test(cursor)) throw new TypeError('A cursor is a decimal integer.');
  // Row ids stay below this; a larger cursor is past every message either way.
  return Math.min(Number(cursor), Number.MAX_SAFE_INTEGER);
}
