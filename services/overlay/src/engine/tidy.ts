import type { Logger } from '@messagebox/shared';
import { type Chain, ChainUnavailableError } from '@messagebox/wallet';
import type { OverlayEngine } from './overlay-engine.js';
import type { OverlayStorage } from './overlay-storage.js';

export interface TidyParts {
  readonly engine: Pick<OverlayEngine, 'prove' | 'forget'>;
  readonly storage: OverlayStorage;
  readonly chain: Pick<Chain, 'proof'>;
  readonly log: Logger;
  /** Ends it early. */
  readonly signal?: AbortSignal;
  readonly now?: () => number;
}

/** What became of transactions without a merkle path. */
export interface Tidied {
  /** The chain has one. */
  proven: number;
  /** Removed: they were given long ago, and are in no block. */
  forgotten: number;
}

const DAY_MS = 86_400_000;
/** How long what is in no block, as the chain says, is kept: whoever means it advertises again. */
const KEPT_MS = 30 * DAY_MS;
/** The same for what the chain was not asked for yet. It may be in a block; but more can come than can be asked for. */
const KEPT_UNASKED_MS = 90 * DAY_MS;
/** A new one is asked for more often: whoever has moved to another host is found there once it is in a block. */
const NEW_MS = 2 * 3_600_000;
const ASKED_AGAIN_AFTER_MS = { whileNew: 30 * 60_000, later: DAY_MS };
/** Sooner than the next run, so that it shows whether the chain is still away. */
const UNANSWERED_AFTER_MS = 10 * 60_000;
/** Questions in one run, each to a service that answers a few in a second. */
const MOST_ASKED = 100;
/** More than one address can submit from one run to the next. */
const MOST_FORGOTTEN = 10_000;
const AT_ONCE = 500;

/**
 * Advertisements come without a merkle path, because they are told of before they are in a block. So the chain is asked
 * for it later, which also makes what is kept smaller; and what has none for too long is removed, unless the chain can't be
 * asked now. What it has not been asked for yet, because so much else came before, is given more time.
 *
 * @throws {StoreUnavailableError}
 */
export async function tidy(parts: TidyParts): Promise<Tidied> {
  const tidied: Tidied = { proven: 0, forgotten: 0 };
  if (await prove(parts, tidied)) await forget(parts, tidied);
  if (tidied.proven + tidied.forgotten > 0) parts.log.info({ ...tidied }, 'the overlay is tidied');
  return tidied;
}

/** @returns false when the chain could not be asked */
async function prove(parts: TidyParts, tidied: Tidied): Promise<boolean> {
  const { engine, storage, chain, log, signal, now = Date.now } = parts;
  for (const { txid, appliedAt } of await storage.toBeAsked(now(), MOST_ASKED)) {
    if (signal?.aborted === true) return false;
    try {
      const proof = await chain.proof(txid);
      const again = now() - appliedAt < NEW_MS ? ASKED_AGAIN_AFTER_MS.whileNew : ASKED_AGAIN_AFTER_MS.later;
      if (proof === undefined) await storage.askLater(txid, now() + again);
      else {
        await engine.prove(txid, proof);
        tidied.proven += 1;
      }
    } catch (error) {
      if (!(error instanceof ChainUnavailableError)) throw error;
      log.warn({ reason: error.message }, 'the chain could not be asked for merkle paths');
      await storage.askLater(txid, now() + UNANSWERED_AFTER_MS);
      return false;
    }
  }
  return true;
}

async function forget(parts: TidyParts, tidied: Tidied): Promise<void> {
  const { storage, now = Date.now } = parts;
  await forgetAll(() => storage.askedInVain(now() - KEPT_MS, now(), AT_ONCE), parts, tidied);
  await forgetAll(() => storage.unprovenSince(now() - KEPT_UNASKED_MS, AT_ONCE), parts, tidied);
}

/** @param find the next {@link AT_ONCE} of them; fewer are the last */
async function forgetAll(
  find: () => Promise<readonly { txid: string; topic: string }[]>,
  { engine, signal }: TidyParts,
  tidied: Tidied,
): Promise<void> {
  while (tidied.forgotten < MOST_FORGOTTEN) {
    const old = await find();
    for (const { txid, topic } of old) {
      if (signal?.aborted === true) return;
      if (await engine.forget(txid, topic)) tidied.forgotten += 1;
    }
    if (old.length < AT_ONCE) return;
  }
}
