/** The sum of fees, limited to 2^53 - 1: larger numbers are not exact, and there are not as many satoshis. */
export function sumFees(fees: readonly number[]): number {
  return Math.min(
    fees.reduce((sum, fee) => sum + fee, 0),
    Number.MAX_SAFE_INTEGER,
  );
}
