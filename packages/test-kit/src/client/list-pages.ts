import { ProtocolViolation } from '../rules/protocol-violation.js';
import { readArray, readIdentityKey, readRecord, readTime } from './fields.js';

/** A message as a server lists it. */
export interface ListedRow {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface ListOptions {
  /** How many messages to read in all. */
  readonly limit?: number | undefined;
  /** How many messages to ask for at once. */
  readonly pageSize?: number | undefined;
  /** The only message to read. */
  readonly messageId?: string | undefined;
  readonly offset?: number | undefined;
}

/** Asks for one page. */
export type AskPage = (paging: Record<string, unknown>) => Promise<Record<string, unknown>>;

/**
 * Reads a box page by page, from `nextOffset` to `nextOffset` for as long as there is more.
 * @throws ProtocolViolation of rule 9.2 when pages do not lead on to each other, of 4 when a row is none
 */
export async function readPages(ask: AskPage, options: ListOptions): Promise<ListedRow[]> {
  const { limit, pageSize, messageId } = options;
  const rows: ListedRow[] = [];
  const known = new Set<string>();
  let offset: number | null = options.offset ?? 0;
  while (offset !== null) {
    const remaining = limit === undefined ? undefined : limit - rows.length;
    if (remaining !== undefined && remaining <= 0) break;
    const size = Math.min(pageSize ?? Number.POSITIVE_INFINITY, remaining ?? Number.POSITIVE_INFINITY);
    const answer = await ask({
      offset,
      ...(Number.isFinite(size) ? { limit: size } : {}),
      ...(messageId === undefined ? {} : { messageId }),
    });
    const page = readArray(answer['messages'], 'messages').map(readRow);
    if (page.length > size) throw broken(`a page has ${page.length} messages where ${size} were asked for`);
    for (const row of page) {
      if (known.has(row.messageId)) throw broken('a message is on two pages');
      known.add(row.messageId);
      rows.push(row);
    }
    offset = nextOffset(answer, offset, page.length);
  }
  return rows;
}

function nextOffset(answer: Record<string, unknown>, offset: number, rows: number): number | null {
  const { hasMore, limit, nextOffset: next } = answer;
  if (answer['offset'] !== offset) throw broken('a page does not name the offset that was asked for');
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) throw broken('a page does not name its limit');
  if (typeof hasMore !== 'boolean') throw broken('a page does not say whether there is more');
  if (!hasMore) {
    if (next !== null) throw broken('the last page names an offset to go on at');
    return null;
  }
  if (!Number.isSafeInteger(next) || (next as number) <= offset)
    throw broken('the offset to go on at does not lead on');
  if (next !== offset + rows) throw broken('the offset to go on at leaves messages out, or comes back to some');
  return next as number;
}

function readRow(value: unknown): ListedRow {
  const row = readRecord(value, 'a listed message');
  const { messageId, body } = row;
  if (typeof messageId !== 'string' || messageId === '') throw new ProtocolViolation('4', 'a listed message has no id');
  if (typeof body !== 'string') throw new ProtocolViolation('4', 'the body of a listed message is no text');
  return {
    messageId,
    body,
    sender: readIdentityKey(row['sender'], 'the sender of a listed message'),
    created_at: readTime(row['created_at'], 'the creation time of a listed message'),
    updated_at: readTime(row['updated_at'], 'the update time of a listed message'),
  };
}

const broken = (text: string) => new ProtocolViolation('9.2', text);
