import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { SharedCounts } from './shared-counts.js';

/** A key has exceeded a limit. Answered as 429 with Retry-After. */
export class TooManyRequestsError extends Error {
  override readonly name = 'TooManyRequestsError';
  constructor(readonly retryAfterSeconds: number) {
    super('Too many requests. Try again later.');
  }
}

/** A count in a window of time. The whole count may come at once. */
export interface Rate {
  readonly count: number;
  /** Whole seconds. */
  readonly seconds: number;
}

/** Limits how often a key is admitted. */
export interface RateLimit {
  /**
   * Counts `cost`, and refuses a key that exceeds the rate.
   *
   * @param cost default 1
   * @throws {TooManyRequestsError}
   */
  admit(key: string, cost?: number): Promise<void>;
  /**
   * Refuses a key that has exceeded the rate, without counting anything.
   *
   * @throws {TooManyRequestsError}
   */
  check(key: string): Promise<void>;
  /** Counts `more` for something that was admitted, when it turns out to have cost more. Never refuses. */
  charge(key: string, more: number): Promise<void>;
}

export interface RateLimitOptions {
  readonly rate: Rate;
  /** Is called for each refusal. Must not throw. */
  readonly onHit: () => void;
  /** The counts of all instances. Undefined: this process counts alone. */
  readonly shared?: SharedCounts | undefined;
}

/**
 * Creates a limit that decides at once, from this process's own counts and, when counts are shared, from the last known
 * counts of all instances. A request never waits for Redis.
 *
 * The limits protect the service. They must be generous, because a whole office may share one address.
 */
export function createRateLimit({ rate, onHit, shared }: RateLimitOptions): RateLimit {
  const own = new RateLimiterMemory({ points: rate.count, duration: rate.seconds });
  const toRefusal = (ms: number) => {
    onHit();
    return new TooManyRequestsError(Math.max(1, Math.ceil(ms / 1_000)));
  };
  const checkShared = (key: string, cost: number) => {
    const ms = shared?.msUntilAllowed(key, cost) ?? 0;
    if (ms > 0) throw toRefusal(ms);
  };
  return {
    async admit(key, cost = 1) {
      checkShared(key, cost);
      try {
        const { consumedPoints } = await own.consume(key, cost);
        shared?.add(key, cost, consumedPoints);
      } catch (refused) {
        throw refused instanceof RateLimiterRes ? toRefusal(refused.msBeforeNext) : refused;
      }
    },
    async check(key) {
      checkShared(key, 0);
      const had = await own.get(key);
      if (had !== null && had.consumedPoints > rate.count) throw toRefusal(had.msBeforeNext);
    },
    async charge(key, more) {
      if (more <= 0) return;
      const { consumedPoints } = await own.penalty(key, more);
      shared?.add(key, more, consumedPoints);
    },
  };
}
