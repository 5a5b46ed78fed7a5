import { InvalidTransactionError, type ParsedTransaction, parseBeef } from '@messagebox/wallet';
import type { BeefVerifier } from './overlay-engine.js';
import type { OverlayStorage } from './overlay-storage.js';

/**
 * Whether the merkle path that a transaction brings tells nothing new: it is the one that is kept, or nothing is kept.
 * Another one may be that of a block which has replaced the first.
 */
export async function isKeptProof(storage: OverlayStorage, { txid, proof }: ParsedTransaction): Promise<boolean> {
  const beef = await storage.findBeef(txid);
  if (beef === undefined) return true;
  const kept = parseBeef(beef).subject.proof;
  return kept !== undefined && proof !== undefined && Buffer.compare(kept.raw, proof.raw) === 0;
}

/**
 * A block can be replaced by another one. Of a transaction that is in a block now, and those that spend the same, finds
 * the ones that are kept with a merkle path which leads to no block any more. Of one that is not kept, since it only
 * revoked something, that can't be told.
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
  for (const txid of await provenAmongRivals(storage, subject, topics)) {
    const beef = await storage.findBeef(txid);
    if (beef === undefined || parseBeef(beef).subject.proof === undefined) continue;
    try {
      await verifier.verify(beef, askedBy);
    } catch (error) {
      if (!(error instanceof InvalidTransactionError)) throw error;
      if (error.kind === 'proof') unmined.add(txid);
    }
  }
  return unmined;
}

/** And itself. */
async function provenAmongRivals(
  storage: OverlayStorage,
  { txid, inputs }: ParsedTransaction,
  topics: readonly string[],
): Promise<Set<string>> {
  const proven = new Set<string>();
  for (const topic of topics) {
    const rivals = [...(await storage.findSpends(topic, inputs)).values()].map(({ spentBy }) => spentBy);
    for (const one of new Set([txid, ...rivals])) {
      if ((await storage.findApplied(one, topic))?.proven === true) proven.add(one);
    }
  }
  return proven;
}
