import type { MessageStore } from '../store/index.js';
import { isName } from './names.js';
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
  if (!Array.isArray(ids) || ids.length === 0) {
    throw new RuleError('ERR_MESSAGE_ID_REQUIRED', 'Please provide the ids of the messages to acknowledge.');
  }
  if (!ids.every(isName)) {
    throw new RuleError('ERR_INVALID_MESSAGE_ID', 'Each message id must be a text of 1 to 255 characters.');
  }
  const deleted = await parts.store.acknowledgeMessages(caller, [...new Set(ids)]);
  if (deleted === 0) {
    throw new RuleError('ERR_INVALID_ACKNOWLEDGMENT', 'None of these messages was found.');
  }
  return { status: 'success' };
}
