import type { OpenPayment } from './payment-records.js';

/** Gets a payment's transaction to the network, and the server's part of it into the server's wallet. */
export interface PaymentReceiver {
  /**
   * Again does no harm.
   *
   * @returns `received`, or why the network will never take the transaction
   * @throws {RuleError} `ERR_INTERNALIZE_FAILED`: worth another try
   */
  receive(payment: Pick<OpenPayment, 'txid' | 'beef' | 'serverOutput'>): Promise<'received' | { refused: string }>;
}
