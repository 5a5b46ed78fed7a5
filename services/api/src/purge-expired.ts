import { type Logger, type MessageStore, type SqlClient, SqlClientNonces } from '@messagebox/shared';

const INTERVAL_MS = 60_000;
const BATCH_SIZE = 5_000;
/**
 * Sessions without a verified request that the database may hold between two purges' ends. Honest clients leave few: they
 * send their first request right after the handshake.
 */
const MAX_UNPROVEN_SESSIONS = 100_000;

/**
 * Deletes what authentication needs no more: claims of requests that are too old to be replayed, and client nonces of
 * sessions that have ended. Several instances may do so at once.
 *
 * @returns stops it
 */
export function purgeExpiredRegularly(parts: {
  readonly store: MessageStore;
  readonly sql: SqlClient;
  readonly log: Logger;
}): () => void {
  const clientNonces = new SqlClientNonces(parts.sql);
  let ended = false;
  const purgeClaims = async () => {
    // In portions, so that no single statement holds locks for long, until none is left.
    while (!ended && (await parts.store.purgeClaims(new Date(), BATCH_SIZE)) === BATCH_SIZE);
  };
  const warn = (what: string) => (error: unknown) =>
    parts.log.warn({ reason: String(error) }, `could not purge ${what}`);
  const timer = setInterval(() => {
    purgeClaims().catch(warn('old claims'));
    clientNonces.purge(new Date(), MAX_UNPROVEN_SESSIONS).catch(warn('ended sessions'));
  }, INTERVAL_MS);
  timer.unref();
  return () => {
    ended = true;
    clearInterval(timer);
  };
}
