import type { ServerFee, ServerFeeStore } from '@messagebox/store';
import pTimeout from 'p-timeout';

/**
 * How long fees are cached: an operator's change is in effect on every instance after at most this time. Documented in
 * docs/fees.md.
 */
export const DELIVERY_FEE_MAX_AGE_MS = 10_000;

/** How long an answer for people waits for the fees. */
const LATEST_TIMEOUT_MS = 1_000;
const NO_FEES: ReadonlyMap<string, number> = new Map();

/**
 * The operator's delivery fees, cached for a limited time, so that a send needs no query for them. Fees that are older are
 * never used: when they can't be read again, that is an error, and the send is refused.
 */
export class DeliveryFees {
  #cached: { readonly fees: ReadonlyMap<string, number>; readonly readAt: number } | undefined;
  #lastRead: ReadonlyMap<string, number> | undefined;
  #pendingRead: Promise<ReadonlyMap<string, number>> | undefined;

  /**
   * @param now milliseconds of a clock that never goes back
   * @param isCharging false for a server that can't receive money; then every delivery is free
   */
  constructor(
    private readonly store: ServerFeeStore,
    private readonly now: () => number = () => performance.now(),
    private readonly isCharging = true,
  ) {}

  /**
   * The fee for a delivery into this box, in satoshis: 0 when the operator has set none, or when this server can't receive
   * money.
   *
   * @throws {StoreUnavailableError} when the cached fees are too old and can't be read again
   */
  async feeFor(messageBox: string): Promise<number> {
    return (await this.current()).get(messageBox) ?? 0;
  }

  /**
   * The fees that a send is charged now, by box, in satoshis; boxes without a fee may be missing. At most one query in
   * {@link DELIVERY_FEE_MAX_AGE_MS}, shared with the sends.
   *
   * @throws {StoreUnavailableError} as {@link feeFor}
   */
  async current(): Promise<ReadonlyMap<string, number>> {
    if (!this.isCharging) return NO_FEES;
    const cached = this.#cached;
    return cached !== undefined && this.now() - cached.readAt < DELIVERY_FEE_MAX_AGE_MS ? cached.fees : this.#read();
  }

  /**
   * The fees of {@link current} for people to see: when they can't be read within a second, the last ones that were. Undefined
   * when none were read yet. Never used for a charge.
   */
  async latest(): Promise<ReadonlyMap<string, number> | undefined> {
    try {
      return await pTimeout(this.current(), { milliseconds: LATEST_TIMEOUT_MS });
    } catch {
      // The store has logged why.
      return this.#lastRead;
    }
  }

  /** Reads the fees from the database. @throws {StoreUnavailableError} */
  all(): Promise<ServerFee[]> {
    return this.store.all();
  }

  /** Changes a fee: in this instance at once, in others when their cache has expired. @throws {StoreUnavailableError} */
  async set(messageBox: string, deliveryFee: number): Promise<ServerFee> {
    try {
      return await this.store.set(messageBox, deliveryFee);
    } finally {
      // Also after a failure, which may have changed the fee. A read that is under way may have the old fees.
      this.#cached = undefined;
      this.#pendingRead = undefined;
    }
  }

  /** Concurrent callers share a read. */
  #read(): Promise<ReadonlyMap<string, number>> {
    if (this.#pendingRead !== undefined) return this.#pendingRead;
    const readAt = this.now();
    const reading = this.store
      .all()
      .then((rows) => {
        const fees = new Map(rows.map(({ messageBox, deliveryFee }) => [messageBox, Math.max(0, deliveryFee)]));
        if (this.#pendingRead === reading) this.#cached = { fees, readAt };
        this.#lastRead = fees;
        return fees;
      })
      .finally(() => {
        if (this.#pendingRead === reading) this.#pendingRead = undefined;
      });
    this.#pendingRead = reading;
    return reading;
  }
}
