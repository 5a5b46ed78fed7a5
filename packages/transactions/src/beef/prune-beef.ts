import { collectWithAncestors } from './collect-with-ancestors.js';
import type { ParsedBeef, ParsedTransaction } from './parse-beef.js';
import { serializeBeef } from './serialize-beef.js';

/** A BEEF with only the ancestors that its subject needs in order to be verified. */
export interface PrunedBeef extends ParsedBeef {
  /** Ancestors before descendants, the subject last. */
  readonly transactions: ReadonlyMap<string, ParsedTransaction>;
  /** The same as a plain BEEF V2 (BRC-96). */
  readonly bytes: Uint8Array;
}

/**
 * Removes what the subject of a BEEF does not need. The transactions stay views of the bytes that were parsed.
 *
 * @throws {InvalidTransactionError} `incomplete`, `malformed`: see {@link collectWithAncestors}
 */
export function pruneBeef({ subject, subjectTxid, transactions }: ParsedBeef): PrunedBeef {
  const needed = collectWithAncestors(subject.txid, (txid) => transactions.get(txid));
  return {
    subject,
    subjectTxid,
    proofs: [...new Set(needed.flatMap(({ proof }) => proof ?? []))],
    transactions: new Map(needed.map((transaction) => [transaction.txid, transaction])),
    bytes: new Uint8Array(serializeBeef(needed)),
  };
}

/** Whether a BEEF was pruned already. */
export function isPruned(beef: ParsedBeef): beef is PrunedBeef {
  return 'bytes' in beef;
}
