import type { SentState, SentStatusReader } from '@messagebox/store';
import { isMessageId, MESSAGE_ID_FORMAT } from './names.js';
import { getField, isGiven, type NormaliseKey } from './request-fields.js';
import { RuleError } from './rule-error.js';
import { formatCount } from './size-limits.js';

/** The options of {@link getSentStatus}. */
export interface SentStatusOptions {
  readonly sent: Pick<SentStatusReader, 'read'>;
  readonly normaliseKey: NormaliseKey;
}

/** What has become of a message. */
export interface SentStatusEntry {
  readonly messageId: string;
  /** Left out where it is not known any more. */
  readonly recipient?: string;
  readonly state: SentState;
}

/** Most ids in one request. */
export const MAX_SENT_IDS = 1_000;

/**
 * Says what has become of messages that the caller has sent, in the order of the ids. An id that was sent to several recipients
 * has an entry for each, at most ten. What others have sent is `unknown`, and so is what is not remembered any more, or is not to
 * be told: recipients decide that by `/permissions/set {receipts: false}`. For those the state is `unknown` from the beginning,
 * so that it does not change when they acknowledge.
 *
 * @param request `{messageIds, recipient?}`, unchecked; 1 to 1,000 ids. With `recipient`, only sends to that one are looked at
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function getSentStatus(
  { sent, normaliseKey }: SentStatusOptions,
  caller: string,
  request: unknown,
): Promise<{ status: 'success'; statuses: readonly SentStatusEntry[] }> {
  const ids = getField(request, 'messageIds');
  if (!isGiven(ids) || (Array.isArray(ids) && ids.length === 0)) {
    throw new RuleError('ERR_MESSAGE_ID_REQUIRED', 'Please provide the ids of the messages.');
  }
  if (!Array.isArray(ids)) throw new RuleError('ERR_INVALID_MESSAGE_ID', 'messageIds must be a list of message ids.');
  if (ids.length > MAX_SENT_IDS) {
    const description = `The request has ${formatCount(ids.length)} message ids; the limit is ${formatCount(MAX_SENT_IDS)}. Ask in parts.`;
    const details = { field: 'messageIds', limit: MAX_SENT_IDS, size: ids.length };
    throw new RuleError('ERR_TOO_MANY_MESSAGE_IDS', description, 400, details);
  }
  if (!ids.every(isMessageId)) {
    throw new RuleError('ERR_INVALID_MESSAGE_ID', `Each message id must be ${MESSAGE_ID_FORMAT}.`);
  }
  const found = await sent.read(caller, ids, parseRecipient(normaliseKey, request));
  return {
    status: 'success',
    statuses: found.map(({ messageId, recipient, state }) => ({
      messageId,
      ...(recipient === undefined ? {} : { recipient }),
      state,
    })),
  };
}

function parseRecipient(normaliseKey: NormaliseKey, request: unknown): string | undefined {
  const recipient = getField(request, 'recipient');
  if (!isGiven(recipient)) return undefined;
  const key = typeof recipient === 'string' ? normaliseKey(recipient) : undefined;
  if (key === undefined) throw new RuleError('ERR_INVALID_PUBLIC_KEY', 'recipient is not a valid public key.');
  return key;
}
