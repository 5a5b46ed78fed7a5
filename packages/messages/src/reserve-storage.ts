import type { NewMessage } from '@messagebox/store';
import { QuotaExceededError } from './quotas/quota-limits.js';
import type { Reservation, StorageCharge, StorageQuotas } from './quotas/storage-quotas.js';
import { RuleError } from './rule-error.js';

/** The options of {@link reserveStorage}. */
export interface ReserveStorageOptions {
  /** Undefined: no limits. */
  readonly quotas?: StorageQuotas | undefined;
}

/** A message to be stored, and whether its recipient has allowed its sender by name. */
export interface StorageRequest {
  readonly message: NewMessage;
  readonly isAllowed: boolean;
}

const EMPTY_RESERVATION: Reservation = {
  replace: async () => undefined,
  settle: () => undefined,
  release: () => undefined,
};

/**
 * Reserves storage for all of these messages, or for none.
 *
 * @throws {QuotaExceededError}, {StoreUnavailableError}
 */
export async function reserveStorage(
  { quotas }: ReserveStorageOptions,
  requests: readonly StorageRequest[],
): Promise<Reservation> {
  if (quotas === undefined || requests.length === 0) return EMPTY_RESERVATION;
  return quotas.reserve(requests.map(({ message, isAllowed }) => toStorageCharge(message, isAllowed)));
}

/**
 * The storage that a message takes.
 *
 * @param bytes the stored size without the upload, when it is not that of the message's body
 */
export function toStorageCharge(
  { recipient, sender, body, upload }: NewMessage,
  isAllowed: boolean,
  bytes = Buffer.byteLength(body),
): StorageCharge {
  return { recipient, sender, bytes: bytes + (upload?.bytes ?? 0), isAllowed };
}

/** Storage becomes free when somebody acknowledges messages, which takes people a while. */
const QUOTA_ERROR_METADATA = { retryAfterSeconds: 60 };

/** Converts an exceeded quota to the client's error, and counts the refusal. */
export function toQuotaRuleError(
  { quotas }: ReserveStorageOptions,
  error: QuotaExceededError,
  isBatch: boolean,
): RuleError {
  quotas?.noteRefused(error);
  const { quota, resource, limit, recipient } = error;
  const nothingSent = isBatch ? ' Nothing was sent to anybody.' : '';
  const details = { resource, limit, ...(recipient === undefined ? {} : { recipient }) };
  const allowance = resource === 'bytes' ? `${limit} bytes of messages` : `${limit} messages`;
  if (quota === 'inbox') {
    const whose = isBatch ? 'A recipient' : 'The recipient';
    const description = `${whose} may have ${allowance} that are not acknowledged. Send again later.${nothingSent}`;
    return new RuleError('ERR_INBOX_QUOTA_EXCEEDED', description, 429, details, QUOTA_ERROR_METADATA);
  }
  const where = quota === 'pair' ? ' for a recipient who has not allowed you by name' : '';
  const description = `You may have ${allowance} that are not acknowledged${where}. Send again later.${nothingSent}`;
  return new RuleError('ERR_SENDER_QUOTA_EXCEEDED', description, 429, details, QUOTA_ERROR_METADATA);
}

/** Runs `work`, and converts an exceeded quota to the client's error. */
export async function withQuotaRuleErrors<T>(
  options: ReserveStorageOptions,
  isBatch: boolean,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof QuotaExceededError ? toQuotaRuleError(options, error, isBatch) : error;
  }
}
