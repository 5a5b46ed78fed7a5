import type { ServerFee, ServerFeeStore } from '../store/index.js';

/**
 * How long a delivery fee may be remembered: a change by the operator is obeyed by every instance after at most so long.
 * Documented in docs/operating.md.
 */
export const DELIVERY_FEE_MAX_AGE_MS = 10_000;

/**
 * The operator's delivery fees, remembered for a bounded time so that a send needs no query for them. What is older than
 * the bound is never used: when it can't be read again, that is an error, and a send is refused.
 */
export class DeliveryFees {
  #remembered: { readonly fees: ReadonlyMap<string, number>; readonly readAt: number } | undefined;
  #reading: Promise<ReadonlyMap<string, number>> | undefined;

  /**
   * @param now milliseconds of a clock that never goes back
   * @param isCharging false for a server that can't take money: what a sender would pay to it would be lost
   */
  constructor(
    private readonly store: ServerFeeStore,
    private readonly now: () => number = () => performance.now(),
    private readonly isCharging = true,
  ) {}

  /**
   * What a delivery into this box costs, in satoshis: 0 where the operator has set nothing, and where nothing can be taken.
   *
   * @throws {StoreUnavailableError} when the fees are too old and can't be read
   */
  async feeFor(messageBox: string): Promise<number> {
    if (!this.isCharging) return 0;
    const remembered = this.#remembered;
    const fees =
      remembered !== undefined && this.now() - remembered.readAt < DELIVERY_FEE_MAX_AGE_MS
        ? remembered.fees
        : await this.#read();
    return fees.get(messageBox) ?? 0;
  }

  /** As they are in the database now. @throws {StoreUnavailableError} */
  all(): Promise<ServerFee[]> {
    return this.store.all();
  }

  /** Changes a fee, for this instance at once and for others within the bound. @throws {StoreUnavailableError} */
  async set(messageBox: string, deliveryFee: number): Promise<ServerFee> {
    try {
      return await this.store.set(messageBox, deliveryFee);
    } finally {
      // Also after a failure, which may have changed it; and what is being read now may be from before.
      this.#remembered = undefined;
      this.#reading = undefined;
    }
  }

  /** Callers that come while it is being read share the reading. */
  #read(): Promise<ReadonlyMap<string, number>> {
    if (this.#reading !== undefined) return this.#reading;
    const readAt = this.now();
    const reading = this.store
      .all()
      .then((rows) => {
        const fees = new Map(rows.map(({ messageBox, deliveryFee }) => [messageBox, Math.max(0, deliveryFee)]));
        if (this.#reading === reading) this.#remembered = { fees, readAt };
        return fees;
      })
      .finally(() => {
        if (this.#reading === reading) this.#reading = undefined;
      });
    this.#reading = reading;
    return reading;
  }
}
