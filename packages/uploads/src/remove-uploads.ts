import { type Logger, runPeriodically } from '@messagebox/shared';
import { type DueRemoval, LockUnavailableError, NamedLock, type SqlClient, UploadStore } from '@messagebox/store';
import { toObjectKey } from './object-keys.js';
import type { ObjectStorage } from './object-storage.js';

/** The options of {@link createUploadRemoval}. */
export interface UploadRemovalOptions {
  readonly sql: SqlClient;
  readonly storage: Pick<ObjectStorage, 'remove'>;
  readonly log: Logger;
  readonly isStopped?: () => boolean;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
}

const LOCK_NAME = 'removal of uploads';
const INTERVAL_MS = 10_000;
/** Rows of one step. */
const BATCH_SIZE = 500;
/** Steps through the named uploads in one run. The next run goes on from there. */
const MAX_STEPS = 20;
const MAX_REMOVALS = 500;
/** A PUT that has begun in time may take so much longer. */
const WRITE_GRACE_MS = 3_600_000;
const RETRY = { minMs: 5_000, maxMs: 3_600_000 };

/**
 * Creates a function that ends uploads which have expired or whose message does not exist any more, and removes their
 * objects. One instance at a time works.
 *
 * The row of an upload stays until its object is certainly gone. A removal that fails is tried again, at growing intervals
 * of up to an hour, for ever. While the URL for writing is valid, an object could be written again; so it is removed once
 * more after that.
 *
 * @returns rejects with {@link StoreUnavailableError} or {@link LockUnavailableError} when the database fails
 */
export function createUploadRemoval(options: UploadRemovalOptions): () => Promise<void> {
  const { sql, isStopped = () => false, now = Date.now } = options;
  const records = new UploadStore(sql);
  // Without waiting: who has the lock does the work.
  const lock = new NamedLock(sql, 0);
  let position = 0;
  const endOrphans = async () => {
    for (let step = 0; step < MAX_STEPS && !isStopped(); step++) {
      const { next } = await records.endOrphans(position, BATCH_SIZE, now());
      position = next ?? 0;
      if (next === undefined) return;
    }
  };
  const removeDue = async () => {
    for (const due of await records.listDueRemovals(now(), MAX_REMOVALS)) {
      if (isStopped()) return;
      await removeOne(options, records, due, now());
    }
  };
  return async () => {
    // These find nothing in most runs, and need no lock, which takes a connection of its own.
    await records.endExpired(now());
    await endOrphans();
    if ((await records.listDueRemovals(now(), 1)).length === 0) return;
    try {
      await lock.withLock(LOCK_NAME, removeDue);
    } catch (error) {
      const isHeldElsewhere = error instanceof LockUnavailableError && error.cause === undefined;
      if (!isHeldElsewhere) throw error;
    }
  };
}

async function removeOne(
  { storage, log }: UploadRemovalOptions,
  records: UploadStore,
  due: DueRemoval,
  now: number,
): Promise<void> {
  try {
    await storage.remove(toObjectKey(due.uploadId));
  } catch (error) {
    const attempts = due.attempts + 1;
    const pause = Math.min(RETRY.maxMs, RETRY.minMs * 2 ** Math.min(attempts - 1, 20));
    await records.postponeRemoval(due, attempts, now + pause);
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.name : 'unknown';
    log.warn({ attempts, reason }, 'an uploaded object could not be removed');
    return;
  }
  const lastWriteAt = due.writableUntil + WRITE_GRACE_MS;
  if (now >= lastWriteAt) await records.forget(due);
  else await records.postponeRemoval(due, 0, lastWriteAt);
}

/**
 * Removes uploads every ten seconds.
 *
 * @returns stops it, and waits for what it has begun
 */
export function startUploadRemoval(
  options: Omit<UploadRemovalOptions, 'isStopped'> & { readonly intervalMs?: number },
): () => Promise<void> {
  let stopped = false;
  const remove = createUploadRemoval({ ...options, isStopped: () => stopped });
  const { log, intervalMs = INTERVAL_MS } = options;
  const task = runPeriodically(intervalMs, remove, { log, name: 'removal of uploads' });
  return async () => {
    stopped = true;
    await task.close();
  };
}
