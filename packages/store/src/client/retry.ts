import { setTimeout as delay } from 'node:timers/promises';

export interface RetryPolicy {
  /** Whether another attempt may succeed after this error. */
  readonly isRetryable: (error: unknown) => boolean;
  /** Default: no limit. */
  readonly maxAttempts?: number;
  /** No attempt begins later than this after the first. Default: no limit. */
  readonly maxTotalMs?: number;
  /** Milliseconds to wait after an attempt, which counts from 1. Default: no pause. */
  readonly getPauseMs?: (attempt: number) => number;
}

/**
 * Runs `work` until it succeeds. `work` must be safe to repeat from its beginning.
 *
 * @throws what `work` threw, when that is not retryable or when the attempts or the time are used up
 */
export async function retry<T>(policy: RetryPolicy, work: () => Promise<T>): Promise<T> {
  const { isRetryable, maxAttempts = Number.POSITIVE_INFINITY, maxTotalMs = Number.POSITIVE_INFINITY } = policy;
  const start = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isExhausted = attempt >= maxAttempts || performance.now() - start >= maxTotalMs;
      if (isExhausted || !isRetryable(error)) throw error;
    }
    if (policy.getPauseMs !== undefined) await delay(policy.getPauseMs(attempt));
  }
}
