import type { TransactionOutput } from '@messagebox/wallet';

/** A payment's transaction after SPV (BRC-67). */
export interface VerifiedPayment {
  readonly txid: string;
  readonly outputs: readonly TransactionOutput[];
  /** AtomicBEEF with only what it needs. */
  readonly beef: Uint8Array;
  /** Milliseconds of CPU that verifying it took. */
  readonly cost: number;
}

export interface PaymentVerifier {
  /**
   * The id of the transaction that `beef`, an AtomicBEEF, is about; nothing is verified.
   *
   * @throws {RuleError} `ERR_INVALID_PAYMENT` with the reason
   */
  identify(beef: Uint8Array): Promise<string>;
  /**
   * @param sender whose payment it is: who has cost less than others lately goes before them
   * @throws {RuleError} `ERR_INVALID_PAYMENT` with the reason, or `ERR_CHAIN_UNAVAILABLE`: worth another try
   */
  verify(beef: Uint8Array, sender: string): Promise<VerifiedPayment>;
  /**
   * Tells what became of a verified payment: who pays goes before who lets valid transactions be verified in vain.
   *
   * @param cost as {@link VerifiedPayment.cost}
   */
  report(sender: string, outcome: 'useful' | 'useless', cost: number): void;
}
