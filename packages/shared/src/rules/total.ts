/** The sum of fees, up to 2^53 - 1: beyond it numbers are no longer exact, and nobody has so many satoshis. */
export function total(fees: readonly number[]): number {
  return Math.min(
    fees.reduce((sum, fee) => sum + fee, 0),
    Number.MAX_SAFE_INTEGER,
  );
}
