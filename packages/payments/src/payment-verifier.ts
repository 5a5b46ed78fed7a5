import type { TransactionOutput } from '@messagebox/wallet';

/** A payment's transaction after SPV (BRC-67). */
export interface VerifiedPayment {
  readonly txid: string;
  readonly outputs: readonly TransactionOutput[];
  /** AtomicBEEF with only what it needs. */
  readonly beef: Uint8Array;
}

export interface PaymentVerifier {
  /**
   * The id of the transaction that `beef`, an AtomicBEEF, is about; nothing is verified.
   *
   * @throws {RuleError} `ERR_INVALID_PAYMENT` with the reason
   */
  identify(beef: Uint8Array): Promise<string>;
  /**
   * @param sender whose payment it is: each waits for no more than one turn of each other
   * @throws {RuleError} `ERR_INVALID_PAYMENT` with the reason, or `ERR_CHAIN_UNAVAILABLE`: worth another try
   */
  verify(beef: Uint8Array, sender: string): Promise<VerifiedPayment>;
}
