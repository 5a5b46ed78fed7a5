import type { StorageAmount } from '@messagebox/store';

/**
 * Limits of the stored amount; `Infinity` for no limit.
 *
 * - `inbox`: in all boxes of one recipient;
 * - `sender`: from one sender, in the boxes of all recipients; a batch counts once for each recipient;
 * - `pair`: from one sender in all boxes of one recipient who has not allowed that sender by name.
 */
export interface QuotaLimits {
  readonly inbox: StorageAmount;
  readonly sender: StorageAmount;
  readonly pair: StorageAmount;
}

/** The kind of a quota. */
export type QuotaKind = keyof QuotaLimits;

/** A quota would be exceeded. Nothing was reserved. */
export class QuotaExceededError extends Error {
  override readonly name = 'QuotaExceededError';
  constructor(
    readonly quota: QuotaKind,
    readonly resource: keyof StorageAmount,
    /** The limit that would be exceeded. */
    readonly limit: number,
    /** The owner of the inbox; undefined for the quota of the sender. */
    readonly recipient: string | undefined,
  ) {
    super(`The ${quota} quota of ${limit} ${resource} is used up.`);
  }
}
