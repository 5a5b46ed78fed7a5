import { type Logger, type MessageStore, type SqlClient, SqlClientNonces, UnusedBoxes } from '@messagebox/shared';

const INTERVAL_MS = 60_000;
const BATCH_SIZE = 5_000;
/**
 * Sessions without a verified request that the database may hold between two purges' ends. Honest clients leave few: they
 * send their first request right after the handshake.
 */
const MAX_UNPROVEN_SESSIONS = 100_000;
/** A box without messages and permissions goes when it was made so long ago. */
const UNUSED_BOX_MS = 86_400_000;
/** Portions of boxes that one purge looks at: the rest is the next one's. */
const BOX_PORTIONS = 20;

/**
 * Deletes what is needed no more: claims of requests that are too old to be replayed, client nonces of sessions that have
 * ended, and boxes that are empty and unused. Several instances may do so at once.
 *
 * @returns stops it
 */
export function purgeExpiredRegularly(parts: {
  readonly store: MessageStore;
  readonly sql: SqlClient;
  readonly log: Logger;
  /** How often. Default: every minute. */
  readonly everyMs?: number;
}): () => void {
  const clientNonces = new SqlClientNonces(parts.sql);
  let ended = false;
  const purgeClaims = async () => {
    // In portions, so that no single statement holds locks for long, until none is left.
    while (!ended && (await parts.store.purgeClaims(new Date(), BATCH_SIZE)) === BATCH_SIZE);
  };
  const boxes = new UnusedBoxes(parts.sql);
  let lookedAt = 0;
  const removeBoxes = async () => {
    for (let portion = 0; portion < BOX_PORTIONS && !ended; portion++) {
      const { next } = await boxes.sweep(lookedAt, new Date(Date.now() - UNUSED_BOX_MS));
      lookedAt = next ?? 0;
      if (next === undefined) return;
    }
  };
  const warn = (what: string) => (error: unknown) =>
    parts.log.warn({ reason: String(error) }, `could not purge ${what}`);
  const timer = setInterval(() => {
    purgeClaims().catch(warn('old claims'));
    clientNonces.purge(new Date(), MAX_UNPROVEN_SESSIONS).catch(warn('ended sessions'));
    removeBoxes().catch(warn('unused boxes'));
  }, parts.everyMs ?? INTERVAL_MS);
  timer.unref();
  return () => {
    ended = true;
    clearInterval(timer);
  };
}
