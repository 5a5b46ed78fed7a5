import { createRateLimit, type Rate, type RateLimit } from './rate-limit.js';
import type { RedisCounts } from './redis-counts.js';
import { SharedCounts } from './shared-counts.js';

export interface RateLimitsOptions {
  /** Is called with the name of the limit at each refusal. Must not throw. */
  readonly onHit: (limit: string) => void;
  /** Undefined: this process shares no limit with others. */
  readonly counts?: RedisCounts | undefined;
}

/** Creates the rate limits of a process. Each refusal is reported to `onHit`. */
export class RateLimits {
  readonly #shared: SharedCounts[] = [];

  constructor(private readonly options: RateLimitsOptions) {}

  /** A limit of this process alone. @param name a label of the metric, so only a few names may exist */
  open(name: string, rate: Rate): RateLimit {
    return createRateLimit({ rate, onHit: () => this.options.onHit(name) });
  }

  /** A limit that all instances share that open the same name, when Redis is configured. */
  openShared(name: string, rate: Rate): RateLimit {
    const { counts, onHit } = this.options;
    const shared = counts && new SharedCounts(counts.open(name, rate), { limit: rate.count });
    if (shared !== undefined) this.#shared.push(shared);
    return createRateLimit({ rate, onHit: () => onHit(name), shared });
  }

  /** Stops sharing counts. */
  close(): void {
    for (const shared of this.#shared) shared.close();
  }
}
