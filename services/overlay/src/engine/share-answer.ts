import type { LookupEntry } from '../lookups/overlay-lookup.js';
import type { BeefStore } from '../storage/beef-store.js';

/** The limits of an answer to a lookup. */
export interface AnswerBudget {
  /** Bytes of BEEF. */
  readonly bytes: number;
  /** Whether the answer contains a transaction for each of its outputs, or once for all of them. */
  readonly transactions: 'each' | 'once';
}

/** An output with the BEEF that verifies its transaction. */
export interface OutputWithBeef {
  readonly beef: Buffer;
  readonly outputIndex: number;
}

/** The part of an answer that one transaction can use before all others have had their share. */
const SHARE_DIVISOR = 8;
/** Sizes are compared by powers of two from this one on. Real advertisements have a few thousand bytes. */
const SMALL_BYTES = 4_096;

/** Adds the BEEFs to outputs, within the budget. Outputs that don't fit, or whose BEEF is gone, are left out. */
export async function attachBeefs(
  store: BeefStore,
  entries: readonly LookupEntry[],
  budget: AnswerBudget,
): Promise<OutputWithBeef[]> {
  const sizes = await store.findSizes(listTxids(entries));
  const fitting = shareAnswer(entries, (txid) => sizes.get(txid), budget);
  const beefs = await store.findAll(listTxids(fitting));
  return fitting.flatMap(({ txid, outputIndex }) => {
    const beef = beefs.get(txid);
    return beef === undefined ? [] : [{ beef, outputIndex }];
  });
}

/**
 * Selects the entries that fit into an answer. Entries in a block come first. Then the first entry of each transaction,
 * identity and host comes before any second one, smaller before larger, and otherwise in the given order. As long as
 * there is room, no entry is left out.
 *
 * @param bytesOf the size of a transaction's BEEF; undefined when it is not stored
 */
export function shareAnswer<T extends LookupEntry>(
  entries: readonly T[],
  bytesOf: (txid: string) => number | undefined,
  { bytes: maxBytes, transactions }: AnswerBudget,
): T[] {
  const sorted = sortEntries(entries, bytesOf);
  const taken = new Map<string, number>();
  const chosen = new Set<T>();
  let left = maxBytes;
  for (const share of [maxBytes / SHARE_DIVISOR, maxBytes]) {
    for (const entry of sorted) {
      const bytes = bytesOf(entry.txid);
      if (bytes === undefined || chosen.has(entry)) continue;
      const before = taken.get(entry.txid);
      const added = before !== undefined && transactions === 'once' ? 0 : bytes;
      if (added > left || (before !== undefined && before + added > share)) continue;
      left -= added;
      taken.set(entry.txid, (before ?? 0) + added);
      chosen.add(entry);
    }
  }
  return sorted.filter((entry) => chosen.has(entry));
}

function sortEntries<T extends LookupEntry>(entries: readonly T[], bytesOf: (txid: string) => number | undefined): T[] {
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

function listTxids(entries: readonly LookupEntry[]): string[] {
  return [...new Set(entries.map(({ txid }) => txid))];
}
