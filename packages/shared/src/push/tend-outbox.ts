import type { Logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import type { PushOutbox } from '../store/index.js';

/** Nobody wants to hear of a message of the day before yesterday. */
export const PUSH_MAX_AGE_MS = 86_400_000;

const EVERY_MS = 15_000;
const AT_ONCE = 1_000;
/** The gauge counts no further. */
const MOST_COUNTED = 100_000;

export interface TendParts {
  readonly outbox: PushOutbox;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Drops what is too old from the outbox, and counts the rest. For every process that leaves notes there: who pushes may be
 * missing, and then nothing else would end its growth. Several instances may do so at once.
 *
 * @returns stops it, and waits for what it has begun
 */
export function tendOutbox(
  { outbox, metrics, log }: TendParts,
  { everyMs = EVERY_MS, maxAgeMs = PUSH_MAX_AGE_MS } = {},
): () => Promise<void> {
  let ended = false;
  let size = 0;
  let running: Promise<void> | undefined;
  metrics.gauge('messagebox_push_outbox_rows', 'Messages in the outbox, counted up to 100,000.', () => size);
  const tend = async () => {
    // In portions, so that no statement holds locks for long.
    for (let dropped = AT_ONCE; dropped === AT_ONCE && !ended; ) {
      dropped = await outbox.dropOlder(Date.now() - maxAgeMs, AT_ONCE);
      metrics.pushes.inc({ outcome: 'expired' }, dropped);
    }
    size = await outbox.size(MOST_COUNTED);
  };
  const timer = setInterval(() => {
    running ??= tend()
      .catch((error: unknown) => log.warn({ reason: String(error) }, 'could not drop old pushes'))
      .finally(() => {
        running = undefined;
      });
  }, everyMs);
  timer.unref();
  return async () => {
    ended = true;
    clearInterval(timer);
    await running;
  };
}
