import type { Logger, MessageStore } from '@messagebox/shared';

const EVERY_MS = 60_000;
const AT_MOST = 10_000;

/**
 * Deletes the claims of requests that are too old to be replayed. Several instances may do so at once.
 *
 * @returns stops it
 */
export function purgeClaimsRegularly(store: MessageStore, log: Logger): () => void {
  const timer = setInterval(() => {
    store
      .purgeClaims(new Date(), AT_MOST)
      .catch((error: unknown) => log.warn({ reason: String(error) }, 'could not purge old claims'));
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
