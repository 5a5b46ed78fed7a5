import type { FoundEntry } from '../lookups/overlay-lookup.js';

/** An answer to a lookup that may have so much in it. */
export interface AnswerRoom {
  /** Bytes of BEEF. */
  readonly bytes: number;
  /** Whether a transaction stands in it for each of its outputs, or once for all of them. */
  readonly transactions: 'each' | 'once';
}

/** One transaction may take this part of an answer before all others have had theirs. */
const SHARES = 8;
/** Sizes are compared by powers of two, from this one on: those of real advertisements have a few thousand bytes. */
const SMALL_BYTES = 4_096;

/**
 * Shares an answer out. What is in a block comes first. Then the first of each transaction, identity and host comes before
 * any second one, the smaller before the larger, and otherwise what came first. Nobody is left out while there is room.
 *
 * @param bytesOf the size of a transaction's BEEF; undefined when it is not there
 * @returns what fits, in that order
 */
export function shareAnswer<T extends FoundEntry>(
  entries: readonly T[],
  bytesOf: (txid: string) => number | undefined,
  { bytes: most, transactions }: AnswerRoom,
): T[] {
  const inOrder = ordered(entries, bytesOf);
  const taken = new Map<string, number>();
  const chosen = new Set<T>();
  let left = most;
  for (const share of [most / SHARES, most]) {
    for (const entry of inOrder) {
      const bytes = bytesOf(entry.txid);
      if (bytes === undefined || chosen.has(entry)) continue;
      const before = taken.get(entry.txid);
      const more = before !== undefined && transactions === 'once' ? 0 : bytes;
      if (more > left || (before !== undefined && before + more > share)) continue;
      left -= more;
      taken.set(entry.txid, (before ?? 0) + more);
      chosen.add(entry);
    }
  }
  return inOrder.filter((entry) => chosen.has(entry));
}

function ordered<T extends FoundEntry>(entries: readonly T[], bytesOf: (txid: string) => number | undefined): T[] {
  const counts = new Map<string, number>();
  const next = (key: string) => {
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return count;
  };
  return entries
    .map((entry) => ({
      entry,
      round: Math.max(next(`tx ${entry.txid}`), next(`id ${entry.identityKey}`), next(`host ${entry.host}`)),
      size: Math.ceil(Math.log2(Math.max(SMALL_BYTES, bytesOf(entry.txid) ?? 0))),
    }))
    .sort((a, b) => Number(b.entry.isProven) - Number(a.entry.isProven) || a.round - b.round || a.size - b.size)
    .map(({ entry }) => entry);
}
