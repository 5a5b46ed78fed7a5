import type { Alongside, NewMessage } from '../store/index.js';
import type { Delivery } from './deliver.js';
import type { RuleError } from './rule-error.js';

/** What is due for a send, and what the sender gave for it. */
export interface DuePayment {
  /** Identity key of the verified session. */
  readonly sender: string;
  /** `payment` of the request, unchecked; anything may have come. */
  readonly payment: unknown;
  /** Satoshis that this server must get, 0 or more, once for all messages. */
  readonly deliveryFee: number;
  /** The body as it was sent. */
  readonly body: string;
  /**
   * Set when a recipient has blocked the sender: nothing new is taken, and this is thrown. What was taken for these messages
   * before is finished all the same, and its sender hears so.
   */
  readonly blocked?: RuleError | undefined;
  /**
   * Called before anything is taken, with the bytes of what will be stored for each message that is not there yet, in their
   * order: what comes with a payment is larger than what was sent.
   *
   * @throws what refuses it; then nothing is taken
   */
  readonly admit?: ((bytes: readonly number[]) => Promise<void>) | undefined;
  /**
   * The messages in the order of the request, each once. All fees may be 0: the sender pays what nobody asked for.
   */
  readonly messages: readonly {
    readonly message: NewMessage;
    /** Satoshis that the recipient must get, 0 or more; or -1 from one who has blocked the sender. */
    readonly fee: number;
    /** It is there already, so nothing is due for it. The sender, who did not know, may have paid for it all the same. */
    readonly isStored: boolean;
  }[];
}

/** Stores and announces messages together with what belongs to them; see `deliver`. */
export type StorePaid = (delivery: Delivery, alongside: Alongside) => Promise<void>;

/** Verifies and takes payments. A server without one refuses every request that carries a payment. */
export interface PaymentTaker {
  /**
   * Checks that the payment covers what is due, takes the server's part, and stores the messages that are not there yet,
   * each with its recipient's part of the payment beside it. Called again with the same payment and ids, because
   * something failed or the client missed the answer, it takes nothing twice, stores nothing twice, and does not refuse
   * what it has taken.
   *
   * @throws {RuleError} with a code of `paymentErrorCodes`; nothing was stored, and nothing is taken, or what is taken
   *   is written down and taken only once
   * @throws {RuleError} `ERR_DUPLICATE_MESSAGE` when an id was taken meanwhile; the payment can be used for other ids
   * @throws {StoreUnavailableError} worth another try
   */
  deliver(due: DuePayment, store: StorePaid): Promise<void>;

  /**
   * Whether this payment of this sender was taken for these messages, so that they are delivered, or will be, whatever is
   * said of the sender by now. False for what can't be read.
   *
   * @throws {StoreUnavailableError}
   */
  hasTaken(due: DuePayment): Promise<boolean>;
}
