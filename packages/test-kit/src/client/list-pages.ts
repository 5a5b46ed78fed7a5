import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import { readArray, readIdentityKey, readRecord, readTime } from './fields.js';

/** A message as a server lists it. */
export interface ListedRow {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
  readonly created_at: string;
  readonly updated_at: string;
}

/** The options of a list. */
export interface ListOptions {
  /** How many messages to read in total. */
  readonly limit?: number | undefined;
  /** How many messages to request at once. */
  readonly pageSize?: number | undefined;
  /** The only message to read. */
  readonly messageId?: string | undefined;
  readonly offset?: number | undefined;
}

/** Requests one page. */
export type RequestPage = (paging: Record<string, unknown>) => Promise<Record<string, unknown>>;

/**
 * Reads a box page by page. Each page begins at the `nextOffset` of the previous one.
 *
 * @throws ProtocolViolationError of rule 9.2 when pages do not continue each other, of rule 4 when a row is malformed
 */
export async function readPages(ask: RequestPage, options: ListOptions): Promise<ListedRow[]> {
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
    if (page.length > size) throw listAnswerError(`a page has ${page.length} messages where ${size} were requested`);
    for (const row of page) {
      if (known.has(row.messageId)) throw listAnswerError('a message is on two pages');
      known.add(row.messageId);
      rows.push(row);
    }
    offset = nextOffset(answer, offset, page.length);
  }
  return rows;
}

function nextOffset(answer: Record<string, unknown>, offset: number, rows: number): number | null {
  const { hasMore, limit, nextOffset: next } = answer;
  if (answer['offset'] !== offset) throw listAnswerError('a page does not name the requested offset');
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) throw listAnswerError('a page does not name its limit');
  if (typeof hasMore !== 'boolean') throw listAnswerError('a page does not say whether there is more');
  if (!hasMore) {
    if (next !== null) throw listAnswerError('the last page has a nextOffset');
    return null;
  }
  if (!Number.isSafeInteger(next) || (next as number) <= offset)
    throw listAnswerError('nextOffset is not after the offset of the page');
  if (next !== offset + rows) throw listAnswerError('nextOffset skips or repeats messages');
  return next as number;
}

function readRow(value: unknown): ListedRow {
  const row = readRecord(value, 'a listed message');
  const { messageId, body } = row;
  if (typeof messageId !== 'string' || messageId === '')
    throw new ProtocolViolationError('4', 'a listed message has no id');
  if (typeof body !== 'string') throw new ProtocolViolationError('4', 'the body of a listed message is not a string');
  return {
    messageId,
    body,
    sender: readIdentityKey(row['sender'], 'the sender of a listed message'),
    created_at: readTime(row['created_at'], 'the creation time of a listed message'),
    updated_at: readTime(row['updated_at'], 'the update time of a listed message'),
  };
}

const listAnswerError = (text: string) => new ProtocolViolationError('9.2', text);
