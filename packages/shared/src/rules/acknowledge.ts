import type { StorageQuotas } from '../quotas/index.js';
import type { MessageStore } from '../store/index.js';
import { isMessageId, MESSAGE_ID_FORM } from './names.js';
import { field } from './parse-send.js';
import { RuleError } from './rule-error.js';

export interface AcknowledgeParts {
  readonly store: MessageStore;
  /** Ids of one acknowledgement. */
  readonly maxIds: number;
  /** Told that there is room again. */
  readonly quotas?: Pick<StorageQuotas, 'freed'> | undefined;
}

/**
 * Deletes those of the listed messages that are the caller's own, for good.
 *
 * @param request `{messageIds: string[]}`, unchecked; at most `maxIds`
 * @throws {RuleError} `ERR_INVALID_ACKNOWLEDGMENT` when none of them was the caller's
 * @throws {StoreUnavailableError}
 */
export async function acknowledge(
  parts: AcknowledgeParts,
  caller: string,
  request: unknown,
): Promise<{ status: 'success' }> {
  const ids = field(request, 'messageIds');
  if (ids === undefined || ids === null || (Array.isArray(ids) && ids.length === 0)) {
    throw new RuleError('ERR_MESSAGE_ID_REQUIRED', 'Please provide the ids of the messages to acknowledge.');
  }
  if (!Array.isArray(ids)) throw new RuleError('ERR_INVALID_MESSAGE_ID', 'messageIds must be a list of message ids.');
  if (ids.length > parts.maxIds) {
    const description = `At most ${parts.maxIds} messages are acknowledged at once. Acknowledge in portions.`;
    throw new RuleError('ERR_TOO_MANY_MESSAGE_IDS', description);
  }
  if (!ids.every(isMessageId)) {
    throw new RuleError('ERR_INVALID_MESSAGE_ID', `Each message id must be ${MESSAGE_ID_FORM}.`);
  }
  const deleted = await parts.store.acknowledgeMessages(caller, [...new Set(ids)]);
  if (deleted === 0) {
    throw new RuleError('ERR_INVALID_ACKNOWLEDGMENT', 'None of these messages was found.');
  }
  parts.quotas?.freed(caller);
  return { status: 'success' };
}
