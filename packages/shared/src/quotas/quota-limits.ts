/** What is stored, or may be: how many messages, and the bytes of UTF-8 of their bodies. */
export interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * Bounds on what is stored at a time; `Infinity` where there is none.
 *
 * - `inbox`: in all boxes of one recipient;
 * - `sender`: of one sender, in all boxes of everybody; a batch counts once for each of its recipients;
 * - `pair`: of one sender in all boxes of one recipient, who has not allowed that sender by name.
 */
export interface QuotaLimits {
  readonly inbox: Amount;
  readonly sender: Amount;
  readonly pair: Amount;
}

export type QuotaKind = keyof QuotaLimits;

/** Something that may not be stored because too much is there already. Nothing was reserved. */
export class QuotaExceededError extends Error {
  override readonly name = 'QuotaExceededError';
  constructor(
    readonly quota: QuotaKind,
    readonly resource: keyof Amount,
    /** The bound that would have been exceeded. */
    readonly limit: number,
    /** Whose inbox it is; undefined when it is the sender's own quota. */
    readonly recipient: string | undefined,
  ) {
    super(`The ${quota} quota of ${limit} ${resource} is used up.`);
  }
}
