import { retry } from './retry.js';
import { classifySqlError } from './translate-error.js';

const MAX_ATTEMPTS = 12;
const MAX_TOTAL_MS = 5_000;
const INITIAL_PAUSE_MS = 4;
const MAX_PAUSE_MS = 250;

/**
 * Runs `work` again when it lost a deadlock or a wait for a lock. The pauses grow and are random, so that the losers don't
 * collide again. `work` must be safe to repeat from its beginning.
 *
 * @throws what `work` threw, when that was something else or when the attempts are used up
 */
export function retryContention<T>(work: () => Promise<T>): Promise<T> {
  return retry(
    {
      isRetryable: (error) => classifySqlError(error) === 'contended',
      maxAttempts: MAX_ATTEMPTS,
      maxTotalMs: MAX_TOTAL_MS,
      getPauseMs: (attempt) => Math.random() * Math.min(MAX_PAUSE_MS, INITIAL_PAUSE_MS * 2 ** attempt),
    },
    work,
  );
}
