import type { OpenPayment } from './payment-records.js';

/** Gets a payment's transaction to the network, and the server's part of it into the server's wallet. */
export interface PaymentReceiver {
  /** False where this server has no wallet: it can't take delivery fees then, and can pass on what recipients get. */
  readonly hasWallet: boolean;
  /**
   * Again does no harm.
   *
   * @returns `received`, or why the network will never take the transaction
   * @throws {RuleError} `ERR_CHAIN_UNAVAILABLE`, `ERR_INTERNALIZE_FAILED`: worth another try
   */
  receive(payment: Pick<OpenPayment, 'txid' | 'beef' | 'serverOutput'>): Promise<'received' | { refused: string }>;
}
