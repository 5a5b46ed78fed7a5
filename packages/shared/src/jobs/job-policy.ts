import { RetryJobError } from './job-errors.js';

/** How a queue retries, and which finished jobs it keeps. A queue must have the same policy wherever it is opened. */
export interface JobPolicy {
  /** How often a handler may throw before the job fails. At least 1. */
  readonly attempts: number;
  /** The pause after the first attempt. It doubles with each attempt. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** How often a job may lose its worker (killed or hung) before it fails. */
  readonly maxStalls: number;
  readonly keepCompleted: Retention;
  readonly keepFailed: Retention;
}

/** Finished jobs beyond either limit are removed when another one finishes. */
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

/** The longest delay of a Node timer: 24 days. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * The pause before the next attempt: exponential, with jitter over its upper half. So jobs that failed together are not
 * retried together, and each pause is longer than the one before until the maximum is reached.
 *
 * @param attempt the number of the attempt that failed, from 1
 * @param random from 0 up to 1
 * @returns whole milliseconds, at least 1
 */
export function computeRetryDelay(policy: JobPolicy, attempt: number, error: unknown, random = Math.random()): number {
  const maxPause = Math.min(policy.maxBackoffMs, policy.backoffMs * 2 ** (attempt - 1));
  const pause = maxPause * (0.5 + random / 2);
  return toWholeDelay(Math.max(pause, error instanceof RetryJobError ? toWholeDelay(error.afterMs) : 0));
}

/** Whole milliseconds for a timer. `NaN`, for example of an unreadable header, becomes the minimum. */
export function toWholeDelay(ms: number): number {
  return ms > 1 ? Math.min(Math.ceil(ms), MAX_DELAY_MS) : 1;
}
