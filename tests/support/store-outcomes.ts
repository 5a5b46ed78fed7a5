import type { StoreOutcome, StoreResult } from '@messagebox/store';

/** The outcomes of `storeMessages`, without row ids. */
export async function getOutcomes(results: Promise<readonly StoreResult[]>): Promise<StoreOutcome[]> {
  return (await results).map(({ outcome }) => outcome);
}
