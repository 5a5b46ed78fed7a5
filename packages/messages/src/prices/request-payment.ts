import type { SqlRunner } from '@messagebox/store';
import { RuleError } from '../rule-error.js';

/** A payment for a request, and the request that it is reserved for, as records name them. Both are 64 hex characters. */
export interface PriceReference {
  readonly txid: string;
  readonly request: string;
}

/** A payment that this server has received, and that no other request has used. */
export interface ReceivedPrice {
  /**
   * Notes that the payment is used up, in the transaction that stores what it has paid for: neither is without the other.
   *
   * @throws an error that {@link RequestPayment.findUseConflict} recognises when the payment was used meanwhile; the transaction
   *   must be rolled back
   */
  use(runner: SqlRunner): Promise<void>;
  /**
   * Reserves the payment for this request, which may be completed without its client. The record of the request must keep the
   * result.
   *
   * @throws {RuleError} `ERR_PAYMENT_REUSED` when another request has it
   */
  hold(): Promise<PriceReference>;
  /**
   * Notes that a request which only reads was served. It may be served again a few times, because its response may be lost.
   *
   * @throws {RuleError} `ERR_PAYMENT_REUSED` when it was served too often, or another request has the payment
   */
  useForReading(): Promise<void>;
}

/** How one HTTP request is paid (BRC-105). */
export interface RequestPayment {
  /** Bytes of the request's body. */
  readonly requestBytes: number;
  /**
   * Whether this payment has paid for exactly this request before, and the request was carried out.
   *
   * @throws {StoreUnavailableError}
   */
  isServed(): Promise<boolean>;
  /**
   * Verifies that the request pays this price, and receives the payment. A payment that was received before is not taken
   * again. For a request without a payment, an unused one of the same payer and amount is used. Call it when nothing else can
   * refuse the request.
   *
   * @param satoshis above 0
   * @throws {RuleError} `ERR_PAYMENT_REQUIRED` with what a client needs to pay, when the request has no payment; or the code
   *   that says why the payment is refused
   * @throws {StoreUnavailableError}
   */
  receive(satoshis: number): Promise<ReceivedPrice>;
  /**
   * Finds out whether an error means that the payment was used between {@link receive} and {@link ReceivedPrice.use}.
   *
   * @returns `served` when this same request was carried out with it meanwhile; the refusal when another one was; undefined for
   *   any other error
   * @throws {StoreUnavailableError}
   */
  findUseConflict(error: unknown): Promise<'served' | RuleError | undefined>;
}

/** The refusal of a live send that costs something. Current clients repeat it over HTTP, where they can pay. */
export function livePriceError(satoshis: number): RuleError {
  const description = `This send costs ${satoshis} satoshis, which can't be paid live. Send it over HTTP.`;
  return new RuleError('ERR_PAYMENT_REQUIRED', description, 402, { satoshisRequired: satoshis });
}

/** The payment was used for another request. */
export function priceUsedError(): RuleError {
  return new RuleError('ERR_PAYMENT_REUSED', 'This transaction has paid for another request. Make a new payment.');
}
