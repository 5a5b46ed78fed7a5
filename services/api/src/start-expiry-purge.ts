import { type Logger, type Metrics, runPeriodically } from '@messagebox/shared';
import {
  type MessageStore,
  ReceiptPurger,
  SharedBodySweeper,
  type SqlClient,
  SqlClientNonceStore,
  UnusedBoxSweeper,
} from '@messagebox/store';
import { createExpiredMessagePurge } from './purge-expired-messages.js';

const PURGE_INTERVAL_MS = 60_000;
const BATCH_SIZE = 5_000;
/**
 * The number of sessions without a verified request that a purge leaves. Honest clients have few of them, because they
 * send their first request right after the handshake.
 */
const MAX_UNPROVEN_SESSIONS = 100_000;
/** A box without messages and permissions is deleted when it is older than this. */
const MIN_UNUSED_BOX_AGE_MS = 86_400_000;
/** Batches of boxes, or of shared bodies, that one purge checks. The next purge continues from there. */
const MAX_BATCHES = 20;
/** Younger shared bodies stay, whatever clocks say: their messages may not have been committed yet. */
const MIN_SHARED_BODY_AGE_MS = 60_000;

/** Receipts are counted in so many purges once: at the first, and then about every ten minutes. */
const PURGES_PER_COUNT = 10;

/**
 * Deletes expired rows once a minute: messages, claims of requests that are too old to be replayed, client nonces of sessions
 * that have ended, receipts that are too old or too many, boxes that are empty and unused, and shared bodies without messages. Several instances may do so concurrently; messages are removed by
 * one of them at a time.
 *
 * @returns stops the purge, and waits for what it has begun
 */
export function startExpiryPurge(options: {
  readonly store: MessageStore;
  readonly sql: SqlClient;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'messagesExpired'>;
  /** Default: one minute. */
  readonly intervalMs?: number;
}): () => Promise<void> {
  const clientNonces = new SqlClientNonceStore(options.sql);
  let stopped = false;
  const purgeClaims = async () => {
    // Deletes in batches, so that no statement holds locks for long.
    while (!stopped && (await options.store.purgeClaims(new Date(), BATCH_SIZE)) === BATCH_SIZE);
  };
  const isStopped = () => stopped;
  const removeBoxes = createSweep(new UnusedBoxSweeper(options.sql), MIN_UNUSED_BOX_AGE_MS, isStopped);
  const removeSharedBodies = createSweep(new SharedBodySweeper(options.sql), MIN_SHARED_BODY_AGE_MS, isStopped);
  const receipts = new ReceiptPurger(options.sql);
  let receiptPurges = 0;
  const removeReceipts = async () => {
    while (!stopped && (await receipts.purge(new Date())) > 0);
    if (receiptPurges++ % PURGES_PER_COUNT === 0) await receipts.trim(isStopped);
  };
  const removeMessages = createExpiredMessagePurge({ ...options, isStopped });
  const { log, intervalMs = PURGE_INTERVAL_MS } = options;
  const tasks = [
    runPeriodically(intervalMs, removeMessages, { log, name: 'purge of expired messages' }),
    runPeriodically(intervalMs, purgeClaims, { log, name: 'purge of request claims' }),
    runPeriodically(intervalMs, () => clientNonces.purge(new Date(), MAX_UNPROVEN_SESSIONS), {
      log,
      name: 'purge of ended sessions',
    }),
    runPeriodically(intervalMs, removeReceipts, { log, name: 'purge of receipts' }),
    runPeriodically(intervalMs, removeBoxes, { log, name: 'purge of unused boxes' }),
    runPeriodically(intervalMs, removeSharedBodies, { log, name: 'purge of shared bodies' }),
  ];
  return async () => {
    stopped = true;
    await Promise.all(tasks.map((task) => task.close()));
  };
}

interface Sweeper {
  sweep(after: number, createdBefore: Date): Promise<{ readonly next: number | undefined }>;
}

/** A purge that continues where the last one has stopped, and begins again after the last row. */
function createSweep(sweeper: Sweeper, minAgeMs: number, isStopped: () => boolean): () => Promise<void> {
  let last = 0;
  return async () => {
    for (let batch = 0; batch < MAX_BATCHES && !isStopped(); batch++) {
      const { next } = await sweeper.sweep(last, new Date(Date.now() - minAgeMs));
      last = next ?? 0;
      if (next === undefined) return;
    }
  };
}
