import { RetryJobError } from './job-errors.js';

/** How a queue retries, and what it keeps of finished jobs. All who open a queue must give it the same policy. */
export interface JobPolicy {
  /** How often a handler may throw before the job has failed. At least 1. */
  readonly attempts: number;
  /** Pause after the first attempt. It doubles with each one. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** How often a job may lose its worker (killed, hung) before it has failed. */
  readonly maxStalls: number;
  readonly keepCompleted: Retention;
  readonly keepFailed: Retention;
}

/** Finished jobs beyond either bound are removed when another one finishes. */
export interface Retention {
  readonly count: number;
  readonly ageMs: number;
}

const DAY_MS = 86_400_000;

export const defaultJobPolicy: JobPolicy = {
  attempts: 8,
  backoffMs: 1_000,
  maxBackoffMs: 300_000,
  maxStalls: 3,
  keepCompleted: { count: 1_000, ageMs: DAY_MS },
  keepFailed: { count: 5_000, ageMs: 14 * DAY_MS },
};

/** The longest that a timer of Node can wait: 24 days. */
export const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Pause before the next attempt: doubles, spread at random over its upper half, so that jobs that failed together don't
 * come back together, and yet each pause is longer than the one before until the maximum is reached.
 *
 * @param attempt the one that failed, from 1
 * @param random from 0 up to 1
 * @returns milliseconds, whole, at least 1
 */
export function retryDelay(policy: JobPolicy, attempt: number, error: unknown, random = Math.random()): number {
  const longest = Math.min(policy.maxBackoffMs, policy.backoffMs * 2 ** (attempt - 1));
  const pause = longest * (0.5 + random / 2);
  return wholeDelay(Math.max(pause, error instanceof RetryJobError ? wholeDelay(error.afterMs) : 0));
}

/** As a timer takes it. What is no number, such as a header that could not be read, is the shortest. */
export function wholeDelay(ms: number): number {
  return ms > 1 ? Math.min(Math.ceil(ms), LONGEST_DELAY_MS) : 1;
}
