import type { ListQuery, MessageStore, StoredMessage } from '../store/index.js';
import { isMessageId, isName, MESSAGE_ID_FORM } from './names.js';
import { wholeNumber } from './numbers.js';
import { field } from './parse-send.js';
import { RuleError } from './rule-error.js';

export interface ListParts {
  readonly store: MessageStore;
  /** Bound on the bytes of the messages in one answer, as JSON. */
  readonly maxBytes: number;
  /** Asked before an answer is read that may have so many bytes, more than a page by offset; what it throws ends the list. */
  readonly reserve?: (bytes: number) => void;
}

/** A message as a client reads it, with times in both of the spellings that clients use, as ISO 8601 in UTC. */
export interface ListedMessage {
  readonly messageId: string;
  readonly body: string;
  readonly sender: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What `/listMessages` answers to a request without `offset`. */
export interface ListAnswer {
  readonly status: 'success';
  readonly messages: ListedMessage[];
  /** There are more than fit: list again after acknowledging, or with `after: next`. */
  readonly hasMore?: true;
  readonly next?: string;
}

/** What `/listMessages` answers to a request with `offset`. */
export interface OffsetPageAnswer {
  readonly status: 'success';
  readonly messages: ListedMessage[];
  /** As it was asked for, or the default. */
  readonly limit: number;
  readonly offset: number;
  /** Where the next page begins; null when there is none. */
  readonly nextOffset: number | null;
  readonly hasMore: boolean;
}

/** Messages in one answer, by the way in which pages are asked for. */
const MAX_LIMIT = { byOffset: 1_000, byCursor: 10_000 };
/** Messages of a page whose request says nothing of a limit, as in the public specification. */
const DEFAULT_LIMIT = MAX_LIMIT.byOffset;
const MAX_OFFSET = 100_000;
/**
 * Bytes of JSON in a page by offset. A client verifies an answer before it reads it, within 30 seconds: one in a browser
 * needs about 1.6 s for so much.
 */
const MAX_PAGE_BYTES = 1_048_576;

/**
 * Lists the caller's own messages in one box, oldest first, in the order of storing.
 *
 * With `offset` (today's clients always send it): a page of at most `limit` messages (1 to 1,000, default 1,000) and 1 MiB
 * of JSON, from that position (0 to 100,000). Where the next page would begin behind 100,000, this one says that it is the
 * last: the rest is found by listing again after acknowledging. Without `offset`: all messages, or at most `limit` of them
 * (1 to 10,000), from behind the cursor `after`. In both, one message that is too large for its answer comes alone, and
 * `messageId` asks for the message with exactly this id.
 *
 * @param request `{messageBox, offset? | skip?, limit?, messageId?}` or `{messageBox, after?, limit?, messageId?}`,
 *   unchecked; `skip` is another name of `offset`
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function list(parts: ListParts, caller: string, request: unknown): Promise<ListAnswer | OffsetPageAnswer> {
  const messageBox = boxOf(request);
  const offset = offsetOf(request);
  const limit = limitOf(request, offset === undefined ? MAX_LIMIT.byCursor : MAX_LIMIT.byOffset);
  const after = afterOf(request, offset);
  const messageId = messageIdOf(request);
  const query = { recipient: caller, messageBox, ...(messageId === undefined ? {} : { messageId }) };
  if (offset !== undefined) return offsetPage(parts, query, offset, limit ?? DEFAULT_LIMIT);
  const { messages, hasMore, next } = await readUpTo(parts, {
    ...query,
    ...(limit === undefined ? {} : { limit }),
    ...(after === undefined ? {} : { after }),
  });
  return { status: 'success', messages, ...(hasMore && next !== undefined ? { hasMore: true as const, next } : {}) };
}

async function offsetPage(
  { store, maxBytes }: ListParts,
  query: Pick<ListQuery, 'recipient' | 'messageBox' | 'messageId'>,
  offset: number,
  limit: number,
): Promise<OffsetPageAnswer> {
  const page = await readPage(store, { ...query, offset, limit, maxBytes: Math.min(maxBytes, MAX_PAGE_BYTES) });
  const next = offset + page.messages.length;
  // A client that is sent on to a position which is then refused would lose all that it has listed.
  const hasMore = page.hasMore && next <= MAX_OFFSET;
  return { status: 'success', messages: page.messages, limit, offset, nextOffset: hasMore ? next : null, hasMore };
}

/** A page of up to `maxBytes`. Most boxes fit into the bytes of a page by offset: more is read once it was reserved. */
async function readUpTo(
  { store, maxBytes, reserve }: ListParts,
  query: Omit<ListQuery, 'maxBytes' | 'offset'>,
): Promise<Page> {
  const first = await readPage(store, { ...query, maxBytes: Math.min(maxBytes, MAX_PAGE_BYTES) });
  const [room, places] = [maxBytes - first.bytes, (query.limit ?? Number.POSITIVE_INFINITY) - first.messages.length];
  if (!first.hasMore || first.next === undefined || room <= 0 || places <= 0) return first;
  reserve?.(maxBytes);
  const rest = await readPage(store, {
    ...query,
    after: first.next,
    maxBytes: room,
    ...(Number.isFinite(places) ? { limit: places } : {}),
  });
  // The first message of a page comes along whatever its size, unless others are there already.
  if (rest.bytes > room) return first;
  return {
    messages: [...first.messages, ...rest.messages],
    bytes: first.bytes + rest.bytes,
    hasMore: rest.hasMore,
    next: rest.next ?? first.next,
  };
}

interface Page {
  readonly messages: ListedMessage[];
  /** Of the messages, as JSON. */
  readonly bytes: number;
  readonly hasMore: boolean;
  /** Cursor behind the last of them. */
  readonly next: string | undefined;
}

/** A page that keeps to `maxBytes` as JSON too, in which quotes take two bytes and control characters six. */
async function readPage(store: MessageStore, query: ListQuery): Promise<Page> {
  const page = await store.listMessages(query);
  const messages: ListedMessage[] = [];
  let bytes = 0;
  for (const message of page.messages.map(listed)) {
    const size = Buffer.byteLength(JSON.stringify(message));
    if (messages.length > 0 && bytes + size > query.maxBytes) break;
    bytes += size;
    messages.push(message);
  }
  return {
    messages,
    bytes,
    hasMore: page.hasMore || messages.length < page.messages.length,
    next: page.messages[messages.length - 1]?.cursor,
  };
}

function boxOf(request: unknown): string {
  const messageBox = field(request, 'messageBox');
  if (messageBox === undefined || messageBox === null || messageBox === '') {
    throw new RuleError('ERR_MESSAGEBOX_REQUIRED', 'Please provide the name of a messageBox.');
  }
  if (isName(messageBox)) return messageBox;
  throw new RuleError('ERR_INVALID_MESSAGEBOX', 'messageBox must be a text of 1 to 255 characters.');
}

function offsetOf(request: unknown): number | undefined {
  const [offset, skip] = [field(request, 'offset'), field(request, 'skip')];
  if (offset === undefined && skip === undefined) return undefined;
  const given = [offset, skip].filter((value) => value !== undefined);
  const [one, ...others] = given.map((value) => wholeNumber(value, 0, MAX_OFFSET));
  if (one === undefined || others.some((other) => other !== one)) {
    throw new RuleError(
      'ERR_INVALID_OFFSET',
      `offset must be a whole number from 0 to ${MAX_OFFSET}, and skip, which is another name of it, the same.`,
    );
  }
  return one;
}

function limitOf(request: unknown, most: number): number | undefined {
  const given = field(request, 'limit');
  const limit = wholeNumber(given, 1, most);
  if (given === undefined || limit !== undefined) return limit;
  throw new RuleError('ERR_INVALID_LIMIT', `limit must be a whole number from 1 to ${most}.`);
}

function afterOf(request: unknown, offset: number | undefined): string | undefined {
  const after = field(request, 'after');
  if (after === undefined) return undefined;
  if (offset !== undefined) throw new RuleError('ERR_INVALID_AFTER', 'after can not be combined with offset.');
  if (typeof after === 'string' && /^\d{1,18}$/.test(after)) return after;
  throw new RuleError('ERR_INVALID_AFTER', 'after must be the value of next from an earlier answer.');
}

function messageIdOf(request: unknown): string | undefined {
  const messageId = field(request, 'messageId');
  if (messageId === undefined || isMessageId(messageId)) return messageId;
  throw new RuleError('ERR_INVALID_MESSAGEID', `messageId must be ${MESSAGE_ID_FORM}.`);
}

function listed(message: StoredMessage): ListedMessage {
  const created = message.createdAt.toISOString();
  const updated = message.updatedAt.toISOString();
  return {
    messageId: message.messageId,
    body: message.body,
    sender: message.sender,
    created_at: created,
    updated_at: updated,
    createdAt: created,
    updatedAt: updated,
  };
}
