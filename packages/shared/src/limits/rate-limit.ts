import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { SharedCounts } from './shared-counts.js';

/** Too much at once from one key. Answered as 429 with Retry-After. */
export class TooManyRequestsError extends Error {
  override readonly name = 'TooManyRequestsError';
  constructor(readonly retryAfterSeconds: number) {
    super('Too many requests. Try again later.');
  }
}

/** So many in so many seconds. */
export interface Rate {
  readonly count: number;
  /** Whole seconds. */
  readonly seconds: number;
}

/** Lets a key pass so often, or says when it may come again. */
export interface RateLimit {
  /**
   * @param cost what it counts as; 1 unless given
   * @throws {TooManyRequestsError}
   */
  admit(key: string, cost?: number): Promise<void>;
  /**
   * Whether it has had too much by now, counting nothing.
   *
   * @throws {TooManyRequestsError}
   */
  check(key: string): Promise<void>;
  /** Counts what was admitted as so many more, when it turns out to have been more. */
  charge(key: string, more: number): Promise<void>;
}

export interface RateLimitParts {
  /** The whole of it may come at once. */
  readonly rate: Rate;
  /** Told of each refusal. Must not throw. */
  readonly onHit: () => void;
  /** What all instances have counted. Undefined: the limit is this process's own. */
  readonly shared?: SharedCounts | undefined;
}

/**
 * A limit that decides at once by what this process knows: what it has counted itself and, when counts are shared, what it
 * has last heard of all instances together. Whether Redis answers makes no difference to a request.
 *
 * Meant to protect the service, not etiquette: a whole office may stand behind one address.
 */
export function rateLimit({ rate, onHit, shared }: RateLimitParts): RateLimit {
  const own = new RateLimiterMemory({ points: rate.count, duration: rate.seconds });
  const refusal = (ms: number) => {
    onHit();
    return new TooManyRequestsError(Math.max(1, Math.ceil(ms / 1_000)));
  };
  const checkShared = (key: string, cost: number) => {
    const ms = shared?.msUntilRoom(key, cost) ?? 0;
    if (ms > 0) throw refusal(ms);
  };
  return {
    async admit(key, cost = 1) {
      checkShared(key, cost);
      try {
        const { consumedPoints } = await own.consume(key, cost);
        shared?.add(key, cost, consumedPoints);
      } catch (refused) {
        throw refused instanceof RateLimiterRes ? refusal(refused.msBeforeNext) : refused;
      }
    },
    async check(key) {
      checkShared(key, 0);
      const had = await own.get(key);
      if (had !== null && had.consumedPoints > rate.count) throw refusal(had.msBeforeNext);
    },
    async charge(key, more) {
      if (more <= 0) return;
      const { consumedPoints } = await own.penalty(key, more);
      shared?.add(key, more, consumedPoints);
    },
  };
}
