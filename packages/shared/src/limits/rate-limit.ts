import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** Too much at once from one key. Answered as 429 with Retry-After. */
export class TooManyRequestsError extends Error {
  override readonly name = 'TooManyRequestsError';
  constructor(readonly retryAfterSeconds: number) {
    super('Too many requests. Try again later.');
  }
}

/** Lets a key pass so often, or says when it may come again. */
export interface RateLimit {
  /** @throws {TooManyRequestsError} */
  admit(key: string): Promise<void>;
  /**
   * Whether it has had too much by now, counting nothing.
   *
   * @throws {TooManyRequestsError}
   */
  check(key: string): Promise<void>;
  /** Counts what was admitted as so many more, when it turns out to have been more. */
  charge(key: string, more: number): Promise<void>;
}

/**
 * A limit in this process: `burst` at once, and on average `burst / seconds` a second.
 * Meant to protect the process, not etiquette: a whole office may stand behind one address.
 */
export function rateLimit(burst: number, seconds: number): RateLimit {
  const limiter = new RateLimiterMemory({ points: burst, duration: seconds });
  const refusal = ({ msBeforeNext }: RateLimiterRes) =>
    new TooManyRequestsError(Math.max(1, Math.ceil(msBeforeNext / 1000)));
  return {
    async admit(key) {
      try {
        await limiter.consume(key);
      } catch (refused) {
        throw refused instanceof RateLimiterRes ? refusal(refused) : refused;
      }
    },
    async check(key) {
      const had = await limiter.get(key);
      if (had !== null && had.consumedPoints > burst) throw refusal(had);
    },
    async charge(key, more) {
      if (more > 0) await limiter.penalty(key, more);
    },
  };
}
