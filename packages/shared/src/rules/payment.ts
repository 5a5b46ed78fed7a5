import type { Alongside } from '../store/index.js';

/** One message that a payment is for. */
export interface PaidMessage {
  readonly recipient: string;
  readonly messageId: string;
  /** Satoshis that the recipient must get, 0 or more. */
  readonly fee: number;
}

/** What is due for a send, and what the sender gave for it. */
export interface DuePayment {
  /** Identity key of the verified session. */
  readonly sender: string;
  /** `payment` of the request, unchecked; anything may have come. */
  readonly payment: unknown;
  readonly messageBox: string;
  /** Satoshis that this server must get, 0 or more, once for all messages. */
  readonly deliveryFee: number;
  /**
   * The messages that are not stored yet, in the order of the request. Nobody among the recipients has blocked the sender.
   * All fees may be 0: the sender pays what nobody asked for.
   */
  readonly messages: readonly PaidMessage[];
}

export interface TakenPayment {
  /**
   * For each message, in the order given, what its recipient finds as `payment` beside it: the recipient's own outputs
   * and nobody else's. Undefined: nothing.
   */
  readonly payments: readonly (object | undefined)[];
  /** Written in the transaction that stores the messages, so that neither is there without the other. */
  readonly alongside?: Alongside | undefined;
}

/** Verifies and takes payments. A server without one refuses every request that carries a payment. */
export interface PaymentTaker {
  /**
   * Checks that the payment covers what is due, and takes the server's part. Called before the messages are stored, and
   * again with the same payment and ids when the storing failed, or when the client repeats a request whose answer it
   * missed: it must then neither take anything twice nor refuse what it has taken.
   *
   * @throws {RuleError} with a code of `paymentErrorCodes`; nothing was taken
   * @throws {StoreUnavailableError} worth another try
   */
  take(due: DuePayment): Promise<TakenPayment>;
}
