import { type Rate, type RateLimit, rateLimit } from './rate-limit.js';
import type { RedisCounts } from './redis-counts.js';
import { SharedCounts } from './shared-counts.js';

export interface RateLimitsParts {
  /** Told the name of the limit at each refusal. Must not throw. */
  readonly onHit: (limit: string) => void;
  /** Undefined: all limits are of this process alone. */
  readonly counts?: RedisCounts | undefined;
}

/** Makes the rate limits of a process, so that each of them is told of when it is hit. */
export class RateLimits {
  readonly #shared: SharedCounts[] = [];

  constructor(private readonly parts: RateLimitsParts) {}

  /** A limit of this process. @param name one of few: it is a label of the metric */
  open(name: string, rate: Rate): RateLimit {
    return rateLimit({ rate, onHit: () => this.parts.onHit(name) });
  }

  /** A limit that all instances which open one of this name share, when they have a Redis. */
  openShared(name: string, rate: Rate): RateLimit {
    const { counts, onHit } = this.parts;
    const shared = counts && new SharedCounts(counts.open(name, rate), { limit: rate.count });
    if (shared !== undefined) this.#shared.push(shared);
    return rateLimit({ rate, onHit: () => onHit(name), shared });
  }

  /** Ends what goes on in the background. */
  close(): void {
    for (const shared of this.#shared) shared.close();
  }
}
