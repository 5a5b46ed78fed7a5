import type { ListQuery, MessageStore, StoredMessage, StoredUpload } from '@messagebox/store';
import { isCursor } from './cursors.js';
import { invalidLimitError } from './invalid-limit-error.js';
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
  /** Runs each chunk of the work for a large response when it is its turn. Default: at once. */
  readonly runChunk?: <T>(work: () => T) => Promise<T>;
}

/** The JSON of a {@link ListedMessage}, which is made once: to measure its size, and to be sent. */
export type ListedMessageJson = string;

/** A message as a client reads it. Times are ISO 8601 in UTC, in both spellings that clients use. */
export interface ListedMessage {
  readonly messageId: string;
  readonly body: string;
  readonly sender: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Only for a message that expires. */
  readonly expiresAt?: string;
  /** Only for a message that names an upload. */
  readonly upload?: ListedUpload;
}

/** The upload of a message as its recipient reads it. */
export interface ListedUpload {
  readonly bytes: number;
  /** 64 lower-case hex characters. */
  readonly sha256: string;
  /** A presigned GET; null while the server takes no uploads. */
  readonly url: string | null;
  /** When the URL stops working; the next list has another one. */
  readonly expiresAt: string | null;
}

/** The response to a `POST /listMessages` without `offset`. */
export interface ListMessagesResponse {
  readonly status: 'success';
  readonly messages: ListedMessageJson[];
  /** There are more messages: list again after acknowledging, or with `after: next`. */
  readonly hasMore?: true;
  readonly next?: string;
}

/** The response to a `POST /listMessages` with `offset`. */
export interface OffsetPageResponse {
  readonly status: 'success';
  readonly messages: ListedMessageJson[];
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
  readonly messages: ListedMessageJson[];
  /** The size of the messages as JSON. */
  readonly bytes: number;
  readonly hasMore: boolean;
  /** The cursor of the last message. */
  readonly next: string | undefined;
}

/** Reads a page whose JSON has at most `maxBytes`, in which quotes take two bytes and control characters six. */
async function readPage(
  { store, uploads, runChunk = async (work) => work() }: Pick<ListMessagesOptions, 'store' | 'uploads' | 'runChunk'>,
  query: ListQuery,
): Promise<Page> {
  const page = await store.listMessages(query);
  const located = new Map<StoredMessage, ListedUpload>();
  for (const message of page.messages) {
    if (message.upload !== undefined) located.set(message, await toListedUpload(message.upload, uploads));
  }
  const messages: ListedMessageJson[] = [];
  let bytes = 0;
  /** @returns whether the message was added */
  const add = (message: StoredMessage): boolean => {
    const json = JSON.stringify(toListedMessage(message, located.get(message)));
    const size = Buffer.byteLength(json);
    if (messages.length > 0 && bytes + size > query.maxBytes) return false;
    bytes += size;
    messages.push(json);
    return true;
  };
  for (let next = 0; next < page.messages.length; ) {
    const isFull = await runChunk(() => {
      for (let done = 0; done < CHUNK_CHARACTERS && next < page.messages.length; next++) {
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

function toListedMessage(message: StoredMessage, upload: ListedUpload | undefined): ListedMessage {
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
    ...(message.expiresAt === undefined ? {} : { expiresAt: message.expiresAt.toISOString() }),
    ...(upload === undefined ? {} : { upload }),
  };
}
