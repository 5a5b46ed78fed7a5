import { setTimeout as delay } from 'node:timers/promises';
import type { Metrics } from '@messagebox/shared';
import { ExpiredMessagePurger, LockUnavailableError, NamedLock, type SqlClient } from '@messagebox/store';

const LOCK_NAME = 'purge of expired messages';
/** Pauses between two steps: at least this long, and as long as the step took, so that half of the time is others'. */
const MIN_PAUSE_MS = 20;

/** The options of {@link createExpiredMessagePurge}. */
export interface ExpiredMessagePurgeOptions {
  readonly sql: SqlClient;
  readonly metrics: Pick<Metrics, 'messagesExpired'>;
  readonly isStopped: () => boolean;
}

/**
 * Creates a function that removes all messages that have expired by now. One instance at a time works; the others leave it
 * to that one and come back at their next interval.
 *
 * @returns rejects with {@link StoreUnavailableError} or {@link LockUnavailableError} when the database fails
 */
export function createExpiredMessagePurge({
  sql,
  metrics,
  isStopped,
}: ExpiredMessagePurgeOptions): () => Promise<void> {
  const purger = new ExpiredMessagePurger(sql);
  // Without waiting: who has the lock does the work.
  const lock = new NamedLock(sql, 0);
  const purgeAll = async () => {
    while (!isStopped()) {
      const begunAt = performance.now();
      const { removed, hasMore } = await purger.step();
      metrics.messagesExpired.inc(removed);
      if (!hasMore) return;
      await delay(Math.max(MIN_PAUSE_MS, performance.now() - begunAt));
    }
  };
  return async () => {
    // The lock takes a connection of its own, which most runs don't need.
    if (!(await purger.findsWork())) return;
    try {
      await lock.withLock(LOCK_NAME, purgeAll);
    } catch (error) {
      const isHeldElsewhere = error instanceof LockUnavailableError && error.cause === undefined;
      if (!isHeldElsewhere) throw error;
    }
  };
}
