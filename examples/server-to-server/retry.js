import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 10_000;

/**
 * Repeats work until it succeeds, with growing pauses. The work must be safe to repeat.
 *
 * @template T
 * @param {string} what for the log
 * @param {() => Promise<T>} work
 * @param {number} attempts after which the last error is thrown. Default: never, because a server comes back
 * @returns {Promise<T>}
 */
export async function withRetry(what, work, attempts = Number.POSITIVE_INFINITY) {
  for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; ; attempt++, pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts) throw error;
      console.error(`${what} failed, trying again: ${error instanceof Error ? error.message : error}`);
      await delay(pauseMs);
    }
  }
}
