import type { Logger, MessageStore } from '@messagebox/shared';

const EVERY_MS = 60_000;
const AT_ONCE = 5_000;

/**
 * Deletes the claims of requests that are too old to be replayed. Several instances may do so at once.
 *
 * @returns stops it
 */
export function purgeClaimsRegularly(store: MessageStore, log: Logger): () => void {
  let ended = false;
  const purge = async () => {
    // In portions, so that no single statement holds locks for long; until none is left, however many requests came.
    while (!ended && (await store.purgeClaims(new Date(), AT_ONCE)) === AT_ONCE);
  };
  const timer = setInterval(() => {
    purge().catch((error: unknown) => log.warn({ reason: String(error) }, 'could not purge old claims'));
  }, EVERY_MS);
  timer.unref();
  return () => {
    ended = true;
    clearInterval(timer);
  };
}
