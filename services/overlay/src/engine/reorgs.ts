import { InvalidTransactionError, type ParsedTransaction, parseBeef } from '@messagebox/transactions';
import type { OverlayStorage } from '../storage/overlay-storage.js';
import type { BeefVerifier } from './beef-verifier.js';

/**
 * Whether a transaction's merkle path is known already: the stored one is the same, or no BEEF is stored. A different
 * path can belong to a block that has replaced the first.
 */
export async function isKeptProof(storage: OverlayStorage, { txid, proof }: ParsedTransaction): Promise<boolean> {
  const beef = await storage.beefs.find(txid);
  if (beef === undefined) return true;
  const kept = parseBeef(beef).subject.proof;
  return kept !== undefined && proof !== undefined && Buffer.compare(kept.raw, proof.raw) === 0;
}

/**
 * Finds transactions that are stored as mined, but whose block was replaced: the given one, which is in a block now, and
 * those that spend the same outputs. A transaction without a stored BEEF, because it only revoked something, can't be
 * checked.
 *
 * @param subject a verified transaction
 * @throws {ChainUnavailableError} and {@link VerifierBusyError}
 */
export async function findUnmined(
  { storage, verifier }: { readonly storage: OverlayStorage; readonly verifier: BeefVerifier },
  subject: ParsedTransaction,
  topics: readonly string[],
  askedBy: string | undefined,
): Promise<Set<string>> {
  const unmined = new Set<string>();
  if (subject.proof === undefined) return unmined;
  for (const txid of await findProvenRivals(storage, subject, topics)) {
    const beef = await storage.beefs.find(txid);
    const kept = beef && parseBeef(beef);
    if (kept?.subject.proof === undefined) continue;
    try {
      await verifier.verify(kept, askedBy);
    } catch (error) {
      if (!(error instanceof InvalidTransactionError)) throw error;
      if (error.kind === 'proof') unmined.add(txid);
    }
  }
  return unmined;
}

/** Includes the transaction itself. */
async function findProvenRivals(
  storage: OverlayStorage,
  { txid, inputs }: ParsedTransaction,
  topics: readonly string[],
): Promise<Set<string>> {
  const proven = new Set<string>();
  for (const topic of topics) {
    const rivals = [...(await storage.spends.find(topic, inputs)).values()].map(({ spentBy }) => spentBy);
    for (const candidate of new Set([txid, ...rivals])) {
      if ((await storage.applied.find(candidate, topic))?.proven === true) proven.add(candidate);
    }
  }
  return proven;
}
