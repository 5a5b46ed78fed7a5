/** How a request is handled that brings a payment which is recorded already. */
interface StateRules {
  /** The states that may follow. */
  readonly next: readonly string[];
  /**
   * For the messages that the payment was recorded for:
   * - `finish`: complete it from what is recorded;
   * - `success`: nothing is left to do;
   * - `restart`: verify and record it again.
   */
  readonly sameMessages: 'finish' | 'success' | 'restart';
  /**
   * For other messages of the same sender:
   * - `finish-first`: complete it for its own messages, then decide by the state that it has reached;
   * - `refuse`: answer `ERR_PAYMENT_REUSED`;
   * - `restart`: verify and record it for these messages.
   */
  readonly otherMessages: 'finish-first' | 'refuse' | 'restart';
}

/** The states of a payment, by the names that the table `payments` has for them. Another sender is refused in each. */
export const PAYMENT_STATES = {
  /** Pending: recorded together with its messages, and not finished. */
  taking: { next: ['done', 'spare', 'unused', 'refused'], sameMessages: 'finish', otherMessages: 'finish-first' },
  /** Settled: the messages are stored, so the payment is used up. */
  done: { next: [], sameMessages: 'success', otherMessages: 'refuse' },
  /** Received, but another payment stored all its messages first. The sender may use it for other messages. */
  spare: { next: ['taking'], sameMessages: 'success', otherMessages: 'restart' },
  /** Received, but its messages could not be stored because a message id was taken. The sender may use it again. */
  unused: { next: ['taking'], sameMessages: 'restart', otherMessages: 'restart' },
  /** The network did not accept the transaction. The sender may retry, because it may be in a block by now. */
  refused: { next: ['taking'], sameMessages: 'restart', otherMessages: 'restart' },
} as const satisfies Readonly<Record<string, StateRules>>;

export type PaymentState = keyof typeof PAYMENT_STATES;

/** The states that lead back to `taking`. */
export const REUSABLE_STATES: readonly PaymentState[] = (Object.keys(PAYMENT_STATES) as PaymentState[]).filter(
  (state) => (PAYMENT_STATES[state].next as readonly string[]).includes('taking'),
);
