import type { Logger } from '../logging/logger.js';
import { getRateLimitedLog } from '../logging/rate-limited-log.js';
import type { Metrics } from './metrics.js';

/** At most one line for each limit in this time, because a client may hit a limit any number of times. */
const LOG_INTERVAL_MS = 60_000;

/** Reports limits that were hit to operators: counts each hit, and logs some. */
export class LimitHitReporter {
  readonly #lines = new Map<string, { at: number; since: number }>();

  constructor(
    private readonly metrics: Pick<Metrics, 'limitsHit'>,
    private readonly log: Pick<Logger, 'info' | 'warn' | 'error'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Counts a hit that has its own log line.
   *
   * @param limit a label of the metric, so only a few names may exist
   */
  readonly count = (limit: string): void => {
    this.metrics.limitsHit.inc({ limit });
  };

  /** Counts a hit, and logs it at most once a minute for each limit. @param limit as in {@link count} */
  readonly report = (limit: string): void => {
    this.count(limit);
    const line = this.#lines.get(limit) ?? { at: Number.NEGATIVE_INFINITY, since: 0 };
    line.since += 1;
    this.#lines.set(limit, line);
    if (this.now() - line.at < LOG_INTERVAL_MS) return;
    getRateLimitedLog(this.log).write('info', { limit, times: line.since }, 'a limit was hit');
    line.at = this.now();
    line.since = 0;
  };
}
