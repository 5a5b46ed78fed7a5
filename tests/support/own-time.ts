import { setTimeout as delay } from 'node:timers/promises';

const STEP_MS = 10;
/** Of the time between two steps so much is counted; for the rest the process was held up. */
const MOST_COUNTED_MS = 2 * STEP_MS;

/**
 * What work of this process comes to, if it does so within this much of the process's own time. While others on the
 * machine hold it up, that does not pass; else it is the time on the clock.
 *
 * @throws {Error} when it takes longer
 */
export async function withinOwn<T>(ms: number, work: Promise<T>): Promise<T> {
  let over = false;
  const late = async (): Promise<never> => {
    for (let passed = 0, last = performance.now(); passed < ms && !over; ) {
      await delay(STEP_MS);
      const now = performance.now();
      passed += Math.min(now - last, MOST_COUNTED_MS);
      last = now;
    }
    throw new Error(`it took more than ${ms} ms`);
  };
  try {
    return await Promise.race([work, late()]);
  } finally {
    over = true;
  }
}
