import type { Logger } from '@messagebox/shared';
import { ChainUnavailableError } from '@messagebox/transactions';
import type { Chain } from '@messagebox/wallet';
import type { AppliedKey } from '../storage/applied-store.js';
import type { OverlayStorage } from '../storage/overlay-storage.js';
import type { OverlayEngine } from './overlay-engine.js';

export interface PruneOverlayOptions {
  readonly engine: Pick<OverlayEngine, 'recordProof' | 'removeUnproven'>;
  readonly storage: OverlayStorage;
  readonly chain: Pick<Chain, 'findProof'>;
  readonly log: Logger;
  /** Ends the run early. */
  readonly signal?: AbortSignal;
  readonly now?: () => number;
}

/** The numbers of unproven transactions that a run has handled. */
export interface PruneResult {
  /** Now proven: the chain had a merkle path. */
  proven: number;
  /** Removed: submitted long ago, and in no block. */
  forgotten: number;
}

const DAY_MS = 86_400_000;
/** The lifetime of a transaction that is in no block according to the chain. Its author can advertise again. */
const RETENTION_MS = 30 * DAY_MS;
/** The lifetime of a transaction that the chain was not asked for. More can be submitted than the chain can answer. */
const UNQUERIED_RETENTION_MS = 90 * DAY_MS;
/** New transactions are asked for more often: a client that moves to another host is found there once it is mined. */
const MAX_NEW_AGE_MS = 2 * 3_600_000;
const PROOF_RETRY_AFTER_MS = { whileNew: 30 * 60_000, later: DAY_MS };
/** Shorter than the interval of the runs, so that the next run detects whether the chain is available again. */
const OUTAGE_RETRY_AFTER_MS = 10 * 60_000;
/** Queries in one run. The chain's service answers a few in a second. */
const MAX_PROOF_QUERIES = 100;
/** Removals in one run: more than one address can submit between two runs. */
const MAX_REMOVED = 10_000;
const PRUNE_BATCH_SIZE = 500;

/**
 * Asks the chain for missing merkle paths, and removes transactions that have none for too long. Advertisements are
 * submitted before they are in a block, so they arrive without one. With a merkle path they also need less space.
 * Nothing is removed while the chain is unavailable. Transactions that the chain was not asked for have more time.
 *
 * @throws {StoreUnavailableError}
 */
export async function pruneOverlay(options: PruneOverlayOptions): Promise<PruneResult> {
  const result: PruneResult = { proven: 0, forgotten: 0 };
  if (await queryProofs(options, result)) await removeExpired(options, result);
  if (result.proven + result.forgotten > 0) options.log.info({ ...result }, 'the overlay was pruned');
  return result;
}

/** @returns false when the chain was unavailable, or the run was ended */
async function queryProofs(options: PruneOverlayOptions, result: PruneResult): Promise<boolean> {
  const { engine, storage, chain, log, signal, now = Date.now } = options;
  for (const { txid, appliedAt } of await storage.listDueProofQueries(now(), MAX_PROOF_QUERIES)) {
    if (signal?.aborted === true) return false;
    try {
      const proof = await chain.findProof(txid);
      const retryAfterMs =
        now() - appliedAt < MAX_NEW_AGE_MS ? PROOF_RETRY_AFTER_MS.whileNew : PROOF_RETRY_AFTER_MS.later;
      if (proof === undefined) await storage.applied.postponeProofQuery(txid, now() + retryAfterMs);
      else {
        await engine.recordProof(txid, proof);
        result.proven += 1;
      }
    } catch (error) {
      if (!(error instanceof ChainUnavailableError)) throw error;
      log.warn({ reason: error.message }, 'the chain could not be asked for merkle paths');
      await storage.applied.postponeProofQuery(txid, now() + OUTAGE_RETRY_AFTER_MS);
      return false;
    }
  }
  return true;
}

async function removeExpired(options: PruneOverlayOptions, result: PruneResult): Promise<void> {
  const { storage, now = Date.now } = options;
  await removeAll(
    () => storage.applied.listQueriedUnproven(now() - RETENTION_MS, now(), PRUNE_BATCH_SIZE),
    options,
    result,
  );
  await removeAll(
    () => storage.applied.listUnprovenBefore(now() - UNQUERIED_RETENTION_MS, PRUNE_BATCH_SIZE),
    options,
    result,
  );
}

/** @param find lists the next transactions, at most {@link PRUNE_BATCH_SIZE}; a shorter list is the last */
async function removeAll(
  find: () => Promise<readonly AppliedKey[]>,
  { engine, signal }: PruneOverlayOptions,
  result: PruneResult,
): Promise<void> {
  while (result.forgotten < MAX_REMOVED) {
    const old = await find();
    for (const { txid, topic } of old) {
      if (signal?.aborted === true) return;
      if (await engine.removeUnproven(txid, topic)) result.forgotten += 1;
    }
    if (old.length < PRUNE_BATCH_SIZE) return;
  }
}
