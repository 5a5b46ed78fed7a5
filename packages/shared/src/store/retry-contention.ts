import { setTimeout as delay } from 'node:timers/promises';
import { sqlErrorKind } from './translate-error.js';

const MAX_ATTEMPTS = 12;
const MAX_TOTAL_MS = 5_000;
const FIRST_PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 250;

/**
 * Runs `work` again when it lost a deadlock or a wait for a lock, after a pause that grows and is spread at random, so
 * that the losers don't meet again. `work` must be safe to repeat from its beginning.
 *
 * @throws what `work` threw, when that was something else or when the tries are used up
 */
export async function retryContention<T>(work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const spent = attempt >= MAX_ATTEMPTS || performance.now() - start > MAX_TOTAL_MS;
      if (spent || sqlErrorKind(error) !== 'contended') throw error;
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
      await delay(Math.random() * longest);
    }
  }
}
