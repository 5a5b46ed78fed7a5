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
  /** Runs each piece of the work that makes a large answer when it is its turn. Default: at once. */
  readonly runPiece?: <T>(work: () => T) => Promise<T>;
}

/** The JSON of a {@link ListedMessage}: it is as long as what is sent of it, and not made twice. */
export type ListedMessageJson = string;

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
  readonly messages: ListedMessageJson[];
  /** There are more than fit: list again after acknowledging, or with `after: next`. */
  readonly hasMore?: true;
  readonly next?: string;
}

/** What `/listMessages` answers to a request with `offset`. */
export interface OffsetPageAnswer {
  readonly status: 'success';
  readonly messages: ListedMessageJson[];
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
/** Characters of messages that are written as JSON without a pause. */
const PIECE_CHARACTERS = 262_144;

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
  { maxBytes, ...parts }: ListParts,
  query: Pick<ListQuery, 'recipient' | 'messageBox' | 'messageId'>,
  offset: number,
  limit: number,
): Promise<OffsetPageAnswer> {
  const page = await readPage(parts, { ...query, offset, limit, maxBytes: Math.min(maxBytes, MAX_PAGE_BYTES) });
  const next = offset + page.messages.length;
  // A client that is sent on to a position which is then refused would lose all that it has listed.
  const hasMore = page.hasMore && next <= MAX_OFFSET;
  return { status: 'success', messages: page.messages, limit, offset, nextOffset: hasMore ? next : null, hasMore };
}

/**
 * A page of up to `maxBytes`, read in steps: most boxes fit into the first, more is read once it was reserved, and while
 * others are served in between.
 */
async function readUpTo(
  { maxBytes, reserve, ...parts }: ListParts,
  query: Omit<ListQuery, 'maxBytes' | 'offset'>,
): Promise<Page> {
  let page = await readPage(parts, { ...query, maxBytes: Math.min(maxBytes, MAX_PAGE_BYTES) });
  for (let steps = 1; page.hasMore && page.next !== undefined; steps++) {
    const [room, places] = [maxBytes - page.bytes, (query.limit ?? Number.POSITIVE_INFINITY) - page.messages.length];
    if (room <= 0 || places <= 0) break;
    if (steps === 1) reserve?.(maxBytes);
    const more = await readPage(parts, {
      ...query,
      after: page.next,
      maxBytes: Math.min(room, MAX_PAGE_BYTES),
      ...(Number.isFinite(places) ? { limit: places } : {}),
    });
    // The first message of a page comes along whatever its size, unless others are there already.
    if (more.bytes > room) break;
    page = {
      messages: [...page.messages, ...more.messages],
      bytes: page.bytes + more.bytes,
      hasMore: more.hasMore,
      next: more.next ?? page.next,
    };
  }
  return page;
}

interface Page {
  readonly messages: ListedMessageJson[];
  /** Of the messages, as JSON. */
  readonly bytes: number;
  readonly hasMore: boolean;
  /** Cursor behind the last of them. */
  readonly next: string | undefined;
}

/** A page that keeps to `maxBytes` as JSON too, in which quotes take two bytes and control characters six. */
async function readPage(
  { store, runPiece = async (work) => work() }: Pick<ListParts, 'store' | 'runPiece'>,
  query: ListQuery,
): Promise<Page> {
  const page = await store.listMessages(query);
  const messages: ListedMessageJson[] = [];
  let bytes = 0;
  /** @returns whether the next one may fit as well */
  const add = (message: StoredMessage): boolean => {
    const json = JSON.stringify(listed(message));
    const size = Buffer.byteLength(json);
    if (messages.length > 0 && bytes + size > query.maxBytes) return false;
    bytes += size;
    messages.push(json);
    return true;
  };
  for (let next = 0; next < page.messages.length; ) {
    const isFull = await runPiece(() => {
      for (let done = 0; done < PIECE_CHARACTERS && next < page.messages.length; next++) {
        const message = page.messages[next] as StoredMessage;
        if (!add(message)) return true;
        done += message.body.length + 256;
      }
      return false;
    });
    if (isFull) break;
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
