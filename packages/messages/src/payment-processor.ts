import type { MessageUpload, NewMessage, TransactionHook } from '@messagebox/store';
import type { Delivery } from './deliver-messages.js';
import type { PriceReference } from './prices/request-payment.js';
import type { RuleError } from './rule-error.js';

/** The amounts due for a send, and the payment for them. */
export interface DuePayment {
  /** Identity key of the verified session. */
  readonly sender: string;
  /** The `payment` of the request, unchecked. */
  readonly payment: unknown;
  /**
   * The upload that `payment.beefR2Key` names, which has the transaction. It was checked that the first message may name it.
   */
  readonly beefUpload?: MessageUpload | undefined;
  /** Satoshis for this server, 0 or more, once for all messages. */
  readonly deliveryFee: number;
  /** The body as it was sent. */
  readonly body: string;
  /**
   * Set when a recipient has blocked the sender: a new payment is not taken, and this error is thrown. A payment that was taken
   * for these messages before is completed, and answered with success.
   */
  readonly blocked?: RuleError | undefined;
  /**
   * Called before a payment is taken, with the stored size in bytes of each message that is not stored yet, in their order. A
   * message with a payment is larger than the body that was sent.
   *
   * @throws an error that refuses the send; then nothing is taken
   */
  readonly admit?: ((bytes: readonly number[]) => Promise<void>) | undefined;
  /**
   * Called after `admit`, when the send has a price: receives the payment for it, and reserves it for this send. The result is
   * recorded with the messages, and the price is used up when they are stored.
   *
   * @throws an error that refuses the send; then this payment is not taken
   */
  readonly holdPrice?: (() => Promise<PriceReference>) | undefined;
  /**
   * The messages in the order of the request, each once. All fees may be 0, when the sender pays without being asked.
   */
  readonly messages: readonly {
    readonly message: NewMessage;
    /** Satoshis for the recipient, 0 or more; -1 when the recipient has blocked the sender. */
    readonly fee: number;
    /** Whether it is stored already. Nothing is due for it then, but its sender, who did not know, may have paid. */
    readonly isStored: boolean;
  }[];
}

/** Stores and publishes messages, with more writes in the same transaction; see `deliverMessages`. */
export type DeliverPaidMessages = (delivery: Delivery, withinTransaction: TransactionHook) => Promise<void>;

/** Verifies and takes payments. A server without one refuses every request with a payment. */
export interface PaymentProcessor {
  /**
   * Checks that the payment covers the amounts due, takes the server's part, and stores the messages that are not stored yet,
   * each with its recipient's part of the payment. A client may repeat the call with the same payment and ids after a
   * failure or a missed response: nothing is taken twice or stored twice, and a payment that was taken is not refused.
   *
   * @throws {RuleError} with a code of `paymentErrorCodes`; nothing was stored, and nothing was taken, or the payment is
   *   recorded and taken only once
   * @throws {RuleError} `ERR_DUPLICATE_MESSAGE` when an id was used meanwhile; the payment can be used for other ids
   * @throws {StoreUnavailableError} a later try may succeed
   */
  deliver(due: DuePayment, deliverPaid: DeliverPaidMessages): Promise<void>;

  /**
   * Whether this payment of this sender was taken for these messages. Then they have been delivered, or will be, even when the
   * sender is blocked by now. False for a payment that can't be parsed.
   *
   * @throws {StoreUnavailableError}
   */
  isSettled(due: DuePayment): Promise<boolean>;
}
