import type { BoxStatus, BoxStatusReader } from '@messagebox/store';
import { invalidLimitError } from './invalid-limit-error.js';
import { parseMessageBox } from './list-messages.js';
import { getField, isGiven } from './request-fields.js';
import { RuleError } from './rule-error.js';
import { checkWholeNumber } from './whole-numbers.js';

/** The options of {@link getBoxStatus} and {@link countMessages}. */
export interface BoxStatusOptions {
  readonly boxes: Pick<BoxStatusReader, 'readBox' | 'readBoxes'>;
}

/** What a box holds, as a client reads it. Messages that have expired don't count. Times are ISO 8601 in UTC. */
export interface BoxStatusResponse {
  readonly messageBox: string;
  readonly count: number;
  /** UTF-8 bytes of the bodies. */
  readonly bytes: number;
  /** There are more messages: `count` and `bytes` are those of the oldest 10,000. */
  readonly atLeast?: true;
  /** When the oldest and the newest message were stored; null for an empty box. */
  readonly oldest: string | null;
  readonly newest: string | null;
}

/** The response to a `POST /boxStatus`. */
export interface BoxStatusPageResponse {
  readonly status: 'success';
  readonly boxes: readonly BoxStatusResponse[];
  /** There are more boxes: ask again with `after: next`. */
  readonly hasMore?: true;
  readonly next?: string;
}

/** The response to a `POST /listMessages` with `countOnly`. */
export interface CountResponse extends BoxStatusResponse {
  readonly status: 'success';
  readonly messages: readonly [];
  readonly hasMore: false;
}

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;
/** Names have up to 255 code points of 4 bytes; the reference server's may have more. */
const MAX_CURSOR_CHARACTERS = 2_048;

/**
 * Says how many messages the caller's own boxes hold, without reading them: of one box, or of all boxes page by page, in the
 * order of the bytes of their names. A box that does not exist is empty when the request names it. A page may be shorter than
 * `limit` when its boxes hold many messages.
 *
 * @param request `{messageBox?, limit?, after?}`, unchecked; `limit` 1 to 1,000, default 100
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function getBoxStatus(
  { boxes }: BoxStatusOptions,
  caller: string,
  request: unknown,
): Promise<BoxStatusPageResponse> {
  // A wrong body must not be taken for a question about all boxes.
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new RuleError('ERR_INVALID_REQUEST', 'The body must be an object, or left out.');
  }
  const limit = parseLimit(request);
  const after = parseAfter(request);
  if (isGiven(getField(request, 'messageBox'))) {
    const box = await boxes.readBox(caller, parseMessageBox(request));
    return { status: 'success', boxes: [toResponse(box)] };
  }
  const page = await boxes.readBoxes(caller, limit, after);
  const next = page.next?.toString('base64url');
  return {
    status: 'success',
    boxes: page.boxes.map(toResponse),
    ...(next === undefined ? {} : { hasMore: true as const, next }),
  };
}

/**
 * Whether a `POST /listMessages` only asks for the number of messages.
 *
 * @throws {RuleError} `ERR_INVALID_COUNT_ONLY`
 */
export function isCountOnly(request: unknown): boolean {
  const countOnly = getField(request, 'countOnly') ?? false;
  if (typeof countOnly !== 'boolean') {
    throw new RuleError('ERR_INVALID_COUNT_ONLY', 'countOnly must be true or false.');
  }
  if (countOnly && getField(request, 'messageId') !== undefined) {
    throw new RuleError('ERR_INVALID_COUNT_ONLY', 'countOnly counts a whole box, so it cannot be used with messageId.');
  }
  return countOnly;
}

/**
 * Counts the caller's own messages in one box, without reading them. The response has the form of a page without messages,
 * which every client can read.
 *
 * @param request `{messageBox, countOnly: true}`, unchecked. Fields about pages have no meaning here
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function countMessages(
  { boxes }: BoxStatusOptions,
  caller: string,
  request: unknown,
): Promise<CountResponse> {
  const box = await boxes.readBox(caller, parseMessageBox(request));
  return { status: 'success', messages: [], hasMore: false, ...toResponse(box) };
}

function parseLimit(request: unknown): number {
  const given = getField(request, 'limit');
  const limit = given === undefined ? DEFAULT_LIMIT : checkWholeNumber(given, 1, MAX_LIMIT);
  if (limit !== undefined) return limit;
  throw invalidLimitError(MAX_LIMIT);
}

function parseAfter(request: unknown): Buffer | undefined {
  const after = getField(request, 'after');
  if (after === undefined) return undefined;
  const isCursor = typeof after === 'string' && after.length <= MAX_CURSOR_CHARACTERS && /^[\w-]+$/.test(after);
  if (isCursor && !isGiven(getField(request, 'messageBox'))) return Buffer.from(after, 'base64url');
  throw new RuleError(
    'ERR_INVALID_AFTER',
    'after must be the value of next from an earlier answer, and cannot be used with messageBox.',
  );
}

function toResponse({ messageBox, count, bytes, isAtLeast, oldest, newest }: BoxStatus): BoxStatusResponse {
  return {
    messageBox,
    count,
    bytes,
    ...(isAtLeast ? { atLeast: true as const } : {}),
    oldest: oldest?.toISOString() ?? null,
    newest: newest?.toISOString() ?? null,
  };
}
