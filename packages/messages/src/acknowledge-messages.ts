import type { MessageStore } from '@messagebox/store';
import { isMessageId, MESSAGE_ID_FORMAT } from './names.js';
import type { StorageQuotas } from './quotas/storage-quotas.js';
import { getField } from './request-fields.js';
import { RuleError } from './rule-error.js';
import { formatCount } from './size-limits.js';

/** The options of {@link acknowledgeMessages}. */
export interface AcknowledgeMessagesOptions {
  readonly store: MessageStore;
  /** Most ids in one request. */
  readonly maxIds: number;
  /** Notified that messages were deleted. */
  readonly quotas?: Pick<StorageQuotas, 'noteFreed'> | undefined;
}

/**
 * Deletes the messages with the given ids that are the caller's own.
 *
 * @param request `{messageIds: string[]}`, unchecked; at most `maxIds`
 * @throws {RuleError} `ERR_INVALID_ACKNOWLEDGMENT` when none of them was the caller's
 * @throws {StoreUnavailableError}
 */
export async function acknowledgeMessages(
  options: AcknowledgeMessagesOptions,
  caller: string,
  request: unknown,
): Promise<{ status: 'success' }> {
  const ids = getField(request, 'messageIds');
  if (ids === undefined || ids === null || (Array.isArray(ids) && ids.length === 0)) {
    throw new RuleError('ERR_MESSAGE_ID_REQUIRED', 'Please provide the ids of the messages to acknowledge.');
  }
  if (!Array.isArray(ids)) throw new RuleError('ERR_INVALID_MESSAGE_ID', 'messageIds must be a list of message ids.');
  if (ids.length > options.maxIds) {
    const description =
      `The request has ${formatCount(ids.length)} message ids; the limit is ${formatCount(options.maxIds)} ` +
      '(MAX_ACKNOWLEDGED_IDS). Acknowledge in portions.';
    const details = { field: 'messageIds', limit: options.maxIds, size: ids.length };
    throw new RuleError('ERR_TOO_MANY_MESSAGE_IDS', description, 400, details);
  }
  if (!ids.every(isMessageId)) {
    throw new RuleError('ERR_INVALID_MESSAGE_ID', `Each message id must be ${MESSAGE_ID_FORMAT}.`);
  }
  const deleted = await options.store.acknowledgeMessages(caller, [...new Set(ids)]);
  if (deleted === 0) {
    throw new RuleError('ERR_INVALID_ACKNOWLEDGMENT', 'None of these messages was found.');
  }
  options.quotas?.noteFreed(caller);
  return { status: 'success' };
}
