import type { PushOutbox } from '@messagebox/store';
import type { Logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { runPeriodically } from '../process/run-periodically.js';

/** Older messages are not announced any more. */
export const PUSH_MAX_AGE_MS = 86_400_000;

const PRUNE_INTERVAL_MS = 15_000;
const BATCH_SIZE = 1_000;
/** The gauge counts no further than this. */
const MAX_COUNTED = 100_000;

export interface OutboxPruningOptions {
  readonly outbox: PushOutbox;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Deletes rows of the outbox that are too old, and counts the rest. Every process that writes to the outbox does so, because
 * there may be no process that pushes, and then the outbox would grow for ever. Several instances may do so at once.
 *
 * @returns a function that stops it and waits for what it has begun
 */
export function startOutboxPruning(
  { outbox, metrics, log }: OutboxPruningOptions,
  { everyMs: intervalMs = PRUNE_INTERVAL_MS, maxAgeMs = PUSH_MAX_AGE_MS } = {},
): () => Promise<void> {
  let isStopped = false;
  let size = 0;
  metrics.addGauge('messagebox_push_outbox_rows', 'Pushes in the outbox, counted up to 100,000.', () => size);
  const prune = async () => {
    // In batches, so that no statement holds locks for long.
    for (let deleted = BATCH_SIZE; deleted === BATCH_SIZE && !isStopped; ) {
      deleted = await outbox.deleteOlderThan(Date.now() - maxAgeMs, BATCH_SIZE);
      metrics.pushes.inc({ outcome: 'expired' }, deleted);
    }
    size = await outbox.countUpTo(MAX_COUNTED);
  };
  const task = runPeriodically(intervalMs, prune, { log, name: 'push outbox pruning' });
  return async () => {
    isStopped = true;
    await task.close();
  };
}
