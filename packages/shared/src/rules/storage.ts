import { QuotaExceededError, type Reservation, type StorageCharge, type StorageQuotas } from '../quotas/index.js';
import type { NewMessage } from '../store/index.js';
import { RuleError } from './rule-error.js';

export interface StorageParts {
  /** Undefined: what is stored has no bounds. */
  readonly quotas?: StorageQuotas | undefined;
}

/** A message that needs room, and whether its recipient has allowed its sender by name. */
export interface Incoming {
  readonly message: NewMessage;
  readonly isAllowed: boolean;
}

const NOTHING_RESERVED: Reservation = {
  replace: async () => undefined,
  settle: () => undefined,
  release: () => undefined,
};

/**
 * Reserves room for all of these messages, or for none.
 *
 * @throws {QuotaExceededError}, {StoreUnavailableError}
 */
export async function reserve({ quotas }: StorageParts, incoming: readonly Incoming[]): Promise<Reservation> {
  if (quotas === undefined || incoming.length === 0) return NOTHING_RESERVED;
  return quotas.reserve(incoming.map(({ message, isAllowed }) => chargeOf(message, isAllowed)));
}

/**
 * What room a message takes.
 *
 * @param bytes of what is stored, where that is not the message's body alone
 */
export function chargeOf(
  { recipient, sender, body }: NewMessage,
  isAllowed: boolean,
  bytes = Buffer.byteLength(body),
): StorageCharge {
  return { recipient, sender, bytes, isAllowed };
}

/** There is room when somebody has read and acknowledged, which takes people a while. */
const QUOTA_FACTS = { retryAfterSeconds: 60 };

/** What a client is told. Counts the refusal. */
export function quotaRefusal({ quotas }: StorageParts, error: QuotaExceededError, isBatch: boolean): RuleError {
  quotas?.refused(error);
  const { quota, resource, limit, recipient } = error;
  const nothingSent = isBatch ? ' Nothing was sent to anybody.' : '';
  const details = { resource, limit, ...(recipient === undefined ? {} : { recipient }) };
  const most = resource === 'bytes' ? `${limit} bytes of messages` : `${limit} messages`;
  if (quota === 'inbox') {
    const whose = isBatch ? 'A recipient' : 'The recipient';
    const description = `${whose} may have ${most} that are not acknowledged. Send again later.${nothingSent}`;
    return new RuleError('ERR_INBOX_QUOTA_EXCEEDED', description, 429, details, QUOTA_FACTS);
  }
  const where = quota === 'pair' ? ' for a recipient who has not allowed you by name' : '';
  const description = `You may have ${most} that are not acknowledged${where}. Send again later.${nothingSent}`;
  return new RuleError('ERR_SENDER_QUOTA_EXCEEDED', description, 429, details, QUOTA_FACTS);
}

/** Runs `work` and turns an exceeded quota into what a client is told. */
export async function withQuotaRefusals<T>(parts: StorageParts, isBatch: boolean, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof QuotaExceededError ? quotaRefusal(parts, error, isBatch) : error;
  }
}
