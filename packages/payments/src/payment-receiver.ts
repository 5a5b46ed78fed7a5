import type { PendingPayment } from './payment-store.js';

/** Gives a payment's transaction to the network, and the server's output to the server's wallet. */
export interface PaymentReceiver {
  /** Without a wallet the server cannot receive delivery fees, but recipients can be paid. */
  readonly hasWallet: boolean;
  /**
   * Idempotent.
   *
   * @returns `received`, or why the network refuses the transaction
   * @throws {RuleError} `ERR_CHAIN_UNAVAILABLE`, `ERR_INTERNALIZE_FAILED`; both are worth a retry
   */
  receive(payment: Pick<PendingPayment, 'txid' | 'beef' | 'serverOutput'>): Promise<'received' | { refused: string }>;
}
