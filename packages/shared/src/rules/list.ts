import type { MessageStore, StoredMessage } from '../store/index.js';
import { isName } from './names.js';
import { field } from './parse-send.js';
import { RuleError } from './rule-error.js';

export interface ListParts {
  readonly store: MessageStore;
  /** Bound on the bytes of the bodies in one answer. */
  readonly maxBytes: number;
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

export interface ListAnswer {
  readonly status: 'success';
  readonly messages: ListedMessage[];
  /** There are more than fit: list again after acknowledging, or with `after: next`. */
  readonly hasMore?: true;
  readonly next?: string;
}

const MAX_LIMIT = 10_000;

/**
 * Lists the caller's own messages in one box, oldest first, in the order of storing.
 *
 * @param request `{messageBox, limit?, after?}`, unchecked
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function list(parts: ListParts, caller: string, request: unknown): Promise<ListAnswer> {
  const messageBox = field(request, 'messageBox');
  if (messageBox === undefined || messageBox === null || messageBox === '') {
    throw new RuleError('ERR_MESSAGEBOX_REQUIRED', 'Please provide the name of a messageBox.');
  }
  if (!isName(messageBox)) {
    throw new RuleError('ERR_INVALID_MESSAGEBOX', 'messageBox must be a text of 1 to 255 characters.');
  }
  const limit = field(request, 'limit');
  if (limit !== undefined && !(Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= MAX_LIMIT)) {
    throw new RuleError('ERR_INVALID_LIMIT', `limit must be a whole number from 1 to ${MAX_LIMIT}.`);
  }
  const after = field(request, 'after');
  if (after !== undefined && !(typeof after === 'string' && /^\d{1,18}$/.test(after))) {
    throw new RuleError('ERR_INVALID_AFTER', 'after must be the value of next from an earlier answer.');
  }
  const page = await parts.store.listMessages({
    recipient: caller,
    messageBox,
    maxBytes: parts.maxBytes,
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(after === undefined ? {} : { after: String(after) }),
  });
  const last = page.messages.at(-1);
  return {
    status: 'success',
    messages: page.messages.map(listed),
    ...(page.hasMore && last !== undefined ? { hasMore: true as const, next: last.cursor } : {}),
  };
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
