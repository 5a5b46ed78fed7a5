import type { TransactionOutput } from '@messagebox/transactions';

/** A payment's transaction that was parsed only. */
export interface UnverifiedPayment {
  readonly txid: string;
  /**
   * Verifies the transaction by SPV (BRC-67).
   *
   * @param sender whose payment it is; senders that have cost less recently are served first
   * @throws {RuleError} `ERR_INVALID_PAYMENT` with the reason, or `ERR_CHAIN_UNAVAILABLE`, which is worth a retry
   */
  verify(sender: string): Promise<VerifiedPayment>;
}

/** A payment's transaction after SPV (BRC-67). */
export interface VerifiedPayment {
  readonly txid: string;
  readonly outputs: readonly TransactionOutput[];
  /** AtomicBEEF with only what the transaction needs. */
  readonly beef: Uint8Array;
  /** Milliseconds of CPU that the verification took. */
  readonly cost: number;
}

export interface PaymentVerifier {
  /**
   * Parses an AtomicBEEF (BRC-95), and verifies nothing.
   *
   * @param maxBytes another limit than the usual one
   * @throws {RuleError} `ERR_INVALID_PAYMENT` with the reason
   */
  parse(beef: Uint8Array, maxBytes?: number): Promise<UnverifiedPayment>;
  /**
   * Reports the outcome of a verified payment. Senders of useful payments are served before those whose valid
   * transactions were verified in vain.
   *
   * @param cost as {@link VerifiedPayment.cost}
   */
  report(sender: string, outcome: 'useful' | 'useless', cost: number): void;
}
