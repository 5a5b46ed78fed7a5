import type { ListQuery, MessagePage, MessageStore, StoredMessage, StoredUpload } from '@messagebox/store';
import { isCursor } from './cursors.js';
import { invalidLimitError } from './invalid-limit-error.js';
import { type EncodedMessage, type ListedUpload, MAX_PIECE_CHARACTERS, MessageEncoder } from './listed-message.js';
import { createNameExcess, isMessageId, isName, MESSAGE_ID_FORMAT } from './names.js';
import { getField } from './request-fields.js';
import { RuleError } from './rule-error.js';
import { MESSAGE_LIMITS } from './size-limits.js';
import type { UploadProcessor } from './upload-processor.js';
import { checkWholeNumber } from './whole-numbers.js';

/** The options of {@link listMessages}. */
export interface ListMessagesOptions {
  readonly store: MessageStore;
  /** Limit of the messages in one response, in bytes of JSON. */
  readonly maxBytes: number;
  /** Tells where uploads are. Undefined: they are listed without a URL. */
  readonly uploads?: Pick<UploadProcessor, 'locate'> | undefined;
  /** Called when the request is valid, before anything is read. An error refuses the list. */
  readonly admit?: () => Promise<void>;
  /** Called before a response larger than a page by offset is read, with its largest size. An error refuses the list. */
  readonly reserve?: (bytes: number) => void;
  /** Resolves when so many bytes of large bodies may be read from the store. An error refuses the list. Default: at once. */
  readonly waitToRead?: (bytes: number) => Promise<void>;
  /** Runs each chunk of the work for a large response when it is its turn. Default: at once. */
  readonly runChunk?: <T>(work: () => T) => Promise<T>;
}

/** The response to a `POST /listMessages` without `offset`. */
export interface ListMessagesResponse {
  readonly status: 'success';
  readonly messages: EncodedMessage[];
  /** There are more messages: list again after acknowledging, or with `after: next`. */
  readonly hasMore?: true;
  readonly next?: string;
}

/** The response to a `POST /listMessages` with `offset`. */
export interface OffsetPageResponse {
  readonly status: 'success';
  readonly messages: EncodedMessage[];
  /** The limit of the request, or the default. */
  readonly limit: number;
  readonly offset: number;
  /** The start of the next page; null after the last page. */
  readonly nextOffset: number | null;
  readonly hasMore: boolean;
}

/** Most messages in one response, by the kind of paging. */
const MAX_LIMIT = {
  byOffset: MESSAGE_LIMITS.offsetPage.messages,
  byCursor: MESSAGE_LIMITS.cursorPageMessages,
};
/** Default limit of a page by offset, from the public specification. */
const DEFAULT_LIMIT = MAX_LIMIT.byOffset;
const MAX_OFFSET = MESSAGE_LIMITS.offset;
const MAX_PAGE_BYTES = MESSAGE_LIMITS.offsetPage.bytes;
/** Characters of messages that are converted to JSON without a pause. */
const CHUNK_CHARACTERS = 262_144;

/**
 * Lists the caller's own messages in one box that have not expired, oldest first, in the order of storing.
 *
 * With `offset`, which current clients always send: a page of at most `limit` messages (1 to 1,000, default 1,000) and 1 MiB
 * of JSON, from that position (0 to 100,000). When the next page would begin above 100,000, this page is marked as the last
 * one; the client finds the rest when it lists again after acknowledging. Without `offset`: all messages, or at most `limit`
 * (1 to 10,000), after the cursor `after`. In both cases a message that is too large for its response comes alone, and
 * `messageId` selects the message with exactly this id.
 *
 * @param request `{messageBox, offset? | skip?, limit?, messageId?}` or `{messageBox, after?, limit?, messageId?}`,
 *   unchecked; `skip` is another name for `offset`
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function listMessages(
  options: ListMessagesOptions,
  caller: string,
  request: unknown,
): Promise<ListMessagesResponse | OffsetPageResponse> {
  const messageBox = parseMessageBox(request);
  const offset = parseOffset(request);
  const limit = parseLimit(request, offset === undefined ? MAX_LIMIT.byCursor : MAX_LIMIT.byOffset);
  const after = parseAfter(request, offset);
  const messageId = parseMessageId(request);
  await options.admit?.();
  const query = { recipient: caller, messageBox, ...(messageId === undefined ? {} : { messageId }) };
  if (offset !== undefined) return readOffsetPage(options, query, offset, limit ?? DEFAULT_LIMIT);
  const { messages, hasMore, next } = await readUpTo(options, {
    ...query,
    ...(limit === undefined ? {} : { limit }),
    ...(after === undefined ? {} : { after }),
  });
  return { status: 'success', messages, ...(hasMore && next !== undefined ? { hasMore: true as const, next } : {}) };
}

async function readOffsetPage(
  { maxBytes, ...options }: ListMessagesOptions,
  query: Pick<ListQuery, 'recipient' | 'messageBox' | 'messageId'>,
  offset: number,
  limit: number,
): Promise<OffsetPageResponse> {
  const page = await readPage(options, { ...query, offset, limit, maxBytes: Math.min(maxBytes, MAX_PAGE_BYTES) });
  const next = offset + page.messages.length;
  // A client whose next position is refused would lose everything that it has listed.
  const hasMore = page.hasMore && next <= MAX_OFFSET;
  return { status: 'success', messages: page.messages, limit, offset, nextOffset: hasMore ? next : null, hasMore };
}

/**
 * Reads a page of up to `maxBytes` in steps. Most boxes fit into the first step. More is read after it was reserved, and
 * other requests are served between the steps.
 */
async function readUpTo(
  { maxBytes, reserve, ...options }: ListMessagesOptions,
  query: Omit<ListQuery, 'maxBytes' | 'offset'>,
): Promise<Page> {
  let page = await readPage(options, { ...query, maxBytes: Math.min(maxBytes, MAX_PAGE_BYTES) });
  for (let steps = 1; page.hasMore && page.next !== undefined; steps++) {
    const remainingBytes = maxBytes - page.bytes;
    const remaining = (query.limit ?? Number.POSITIVE_INFINITY) - page.messages.length;
    if (remainingBytes <= 0 || remaining <= 0) break;
    if (steps === 1) reserve?.(maxBytes);
    const more = await readPage(options, {
      ...query,
      after: page.next,
      maxBytes: Math.min(remainingBytes, MAX_PAGE_BYTES),
      ...(Number.isFinite(remaining) ? { limit: remaining } : {}),
    });
    // The first message of a step is read whatever its size. Leave it out when it doesn't fit behind the others.
    if (more.bytes > remainingBytes) break;
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
  readonly messages: EncodedMessage[];
  /** The size of the messages as JSON. */
  readonly bytes: number;
  readonly hasMore: boolean;
  /** The cursor of the last message. */
  readonly next: string | undefined;
}

type PageOptions = Pick<ListMessagesOptions, 'store' | 'uploads' | 'waitToRead' | 'runChunk'>;

/** Reads a page whose JSON has at most `maxBytes`, in which quotes take two bytes and control characters six. */
async function readPage(options: PageOptions, query: ListQuery): Promise<Page> {
  const { uploads, runChunk = async (work) => work() } = options;
  const page = await readWithBodies(options, query);
  const located = new Map<StoredMessage, ListedUpload>();
  for (const message of page.messages) {
    if (message.upload !== undefined) located.set(message, await toListedUpload(message.upload, uploads));
  }
  const messages: EncodedMessage[] = [];
  let bytes = 0;
  let encoder: MessageEncoder | undefined;
  /** Encodes one piece of the next message. @returns whether the page is full */
  const encodePiece = (message: StoredMessage): boolean => {
    encoder ??= new MessageEncoder(message, located.get(message));
    const encoded = encoder.encodePiece();
    if (encoded === undefined) return false;
    encoder = undefined;
    if (messages.length > 0 && bytes + encoded.bytes > query.maxBytes) return true;
    bytes += encoded.bytes;
    messages.push(encoded);
    return false;
  };
  for (let isFull = false; !isFull && messages.length < page.messages.length; ) {
    isFull = await runChunk(() => {
      for (let done = 0; done < CHUNK_CHARACTERS && messages.length < page.messages.length; ) {
        const message = page.messages[messages.length] as StoredMessage;
        if (encodePiece(message)) return true;
        done += Math.min(message.body.length, MAX_PIECE_CHARACTERS) + 256;
      }
      return false;
    });
  }
  return {
    messages,
    bytes,
    hasMore: page.hasMore || messages.length < page.messages.length,
    next: page.messages[messages.length - 1]?.cursor,
  };
}

/** Reads a page of the store, and its large bodies when it is their turn. */
async function readWithBodies({ store, waitToRead }: PageOptions, query: ListQuery): Promise<MessagePage> {
  for (;;) {
    const page = await store.listMessages({ ...query, leavesOutLargeBodies: true });
    const unread = page.messages.filter(({ unreadBytes }) => unreadBytes !== undefined);
    if (unread.length === 0) return page;
    const bytes = unread.reduce((sum, { unreadBytes = 0 }) => sum + unreadBytes, 0);
    await waitToRead?.(bytes);
    const ids = unread.map(({ cursor }) => Number(cursor));
    const bodies = await store.readBodies(ids, bytes);
    const messages = page.messages.flatMap((message) => {
      if (message.unreadBytes === undefined) return [message];
      const body = bodies.get(Number(message.cursor));
      return body === undefined ? [] : [{ ...message, body }];
    });
    // All were acknowledged meanwhile: the page begins with the next ones.
    if (messages.length > 0 || !page.hasMore) return { ...page, messages };
  }
}

/** @throws {RuleError} `ERR_MESSAGEBOX_REQUIRED` or `ERR_INVALID_MESSAGEBOX` */
export function parseMessageBox(request: unknown): string {
  const messageBox = getField(request, 'messageBox');
  if (messageBox === undefined || messageBox === null || messageBox === '') {
    throw new RuleError('ERR_MESSAGEBOX_REQUIRED', 'Please provide the name of a messageBox.');
  }
  if (isName(messageBox)) return messageBox;
  const description = 'messageBox must be a text of 1 to 255 characters.';
  throw new RuleError('ERR_INVALID_MESSAGEBOX', description, 400, createNameExcess('messageBox', messageBox));
}

function parseOffset(request: unknown): number | undefined {
  const [offset, skip] = [getField(request, 'offset'), getField(request, 'skip')];
  if (offset === undefined && skip === undefined) return undefined;
  const given = [offset, skip].filter((value) => value !== undefined);
  const [one, ...others] = given.map((value) => checkWholeNumber(value, 0, MAX_OFFSET));
  if (one === undefined || others.some((other) => other !== one)) {
    throw new RuleError(
      'ERR_INVALID_OFFSET',
      `offset must be a whole number from 0 to ${MAX_OFFSET}. If skip is given too, it must be equal.`,
    );
  }
  return one;
}

function parseLimit(request: unknown, max: number): number | undefined {
  const given = getField(request, 'limit');
  const limit = checkWholeNumber(given, 1, max);
  if (given === undefined || limit !== undefined) return limit;
  throw invalidLimitError(max);
}

function parseAfter(request: unknown, offset: number | undefined): string | undefined {
  const after = getField(request, 'after');
  if (after === undefined) return undefined;
  if (offset !== undefined) throw new RuleError('ERR_INVALID_AFTER', 'after cannot be combined with offset.');
  if (isCursor(after)) return after;
  throw new RuleError('ERR_INVALID_AFTER', 'after must be the value of next from an earlier answer.');
}

function parseMessageId(request: unknown): string | undefined {
  const messageId = getField(request, 'messageId');
  if (messageId === undefined || isMessageId(messageId)) return messageId;
  throw new RuleError('ERR_INVALID_MESSAGEID', `messageId must be ${MESSAGE_ID_FORMAT}.`);
}

async function toListedUpload(
  upload: StoredUpload,
  uploads: Pick<UploadProcessor, 'locate'> | undefined,
): Promise<ListedUpload> {
  const { bytes, sha256 } = upload;
  if (uploads === undefined) return { bytes, sha256, url: null, expiresAt: null };
  const { url, expiresAt } = await uploads.locate(upload);
  return { bytes, sha256, url, expiresAt: expiresAt.toISOString() };
}
