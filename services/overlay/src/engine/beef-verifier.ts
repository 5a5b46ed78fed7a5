import type { ParsedBeef } from '@messagebox/transactions';

/** Verifies the transactions of strangers. `TransactionVerifier` of `@messagebox/transactions` implements it. */
export interface BeefVerifier {
  /**
   * @param askedBy the source that is charged for the work, such as an address
   * @returns the milliseconds of CPU time that were used
   * @throws {InvalidTransactionError} with the reason
   * @throws {ChainUnavailableError} and {@link VerifierBusyError}: can be retried later
   */
  verify(beef: ParsedBeef, askedBy?: string): Promise<{ readonly cost: number }>;
  /** Reports whether a verified transaction was useful. Sources of useful transactions have priority over the others. */
  report(askedBy: string, outcome: 'useful' | 'useless', cost: number): void;
}
