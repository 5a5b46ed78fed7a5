import { setTimeout as delay } from 'node:timers/promises';

const SAMPLE_INTERVAL_MS = 10;
/** At most this much of the time between two samples counts; the rest is time in which the process was held up. */
const MAX_COUNTED_MS = 2 * SAMPLE_INTERVAL_MS;

/**
 * The result of `work`, if it comes within `timeoutMs` of this process's own time. That time stands still while other
 * processes hold this one up; otherwise it is the time on the clock.
 *
 * @throws {Error} when it takes longer
 */
export async function withProcessTimeout<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let over = false;
  const late = async (): Promise<never> => {
    for (let passed = 0, last = performance.now(); passed < timeoutMs && !over; ) {
      await delay(SAMPLE_INTERVAL_MS);
      const now = performance.now();
      passed += Math.min(now - last, MAX_COUNTED_MS);
      last = now;
    }
    throw new Error(`it took more than ${timeoutMs} ms`);
  };
  try {
    return await Promise.race([work, late()]);
  } finally {
    over = true;
  }
}
