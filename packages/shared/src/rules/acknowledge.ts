import type { MessageStore } from '../store/index.js';
import { isMessageId, MESSAGE_ID_FORM } from './names.js';
import { field } from './parse-send.js';
import { RuleError } from './rule-error.js';

/**
 * Deletes those of the listed messages that are the caller's own, for good.
 *
 * @param request `{messageIds: string[]}`, unchecked
 * @throws {RuleError} `ERR_INVALID_ACKNOWLEDGMENT` when none of them was the caller's
 * @throws {StoreUnavailableError}
 */
export async function acknowledge(
  parts: { readonly store: MessageStore },
  caller: string,
  request: unknown,
): Promise<{ status: 'success' }> {
  const ids = field(request, 'messageIds');
  if (ids === undefined || ids === null || (Array.isArray(ids) && ids.length === 0)) {
    throw new RuleError('ERR_MESSAGE_ID_REQUIRED', 'Please provide the ids of the messages to acknowledge.');
  }
  if (!Array.isArray(ids)) throw new RuleError('ERR_INVALID_MESSAGE_ID', 'messageIds must be a list of message ids.');
  if (!ids.every(isMessageId)) {
    throw new RuleError('ERR_INVALID_MESSAGE_ID', `Each message id must be ${MESSAGE_ID_FORM}.`);
  }
  const deleted = await parts.store.acknowledgeMessages(caller, [...new Set(ids)]);
  if (deleted === 0) {
    throw new RuleError('ERR_INVALID_ACKNOWLEDGMENT', 'None of these messages was found.');
  }
  return { status: 'success' };
}
