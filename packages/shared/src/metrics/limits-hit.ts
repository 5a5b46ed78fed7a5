import { limitedLines } from '../logging/limited-lines.js';
import type { Logger } from '../logging/logger.js';
import type { Metrics } from './metrics.js';

/** One line for each limit in so many milliseconds: who runs into it would fill the log otherwise. */
const LINE_EVERY_MS = 60_000;

/** Tells operators that a limit was hit: counts each time, and logs some. */
export class LimitsHit {
  readonly #lines = new Map<string, { at: number; since: number }>();

  constructor(
    private readonly metrics: Pick<Metrics, 'limitsHit'>,
    private readonly log: Pick<Logger, 'info' | 'warn' | 'error'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Counts it, where a line of its own says what was refused.
   *
   * @param limit its name, one of few: it is a label of the metric
   */
  readonly count = (limit: string): void => {
    this.metrics.limitsHit.inc({ limit });
  };

  /** Counts it, and logs it now and then. @param limit as in {@link count} */
  readonly hit = (limit: string): void => {
    this.count(limit);
    const line = this.#lines.get(limit) ?? { at: Number.NEGATIVE_INFINITY, since: 0 };
    line.since += 1;
    this.#lines.set(limit, line);
    if (this.now() - line.at < LINE_EVERY_MS) return;
    limitedLines(this.log).write('info', { limit, times: line.since }, 'a limit was hit');
    line.at = this.now();
    line.since = 0;
  };
}
