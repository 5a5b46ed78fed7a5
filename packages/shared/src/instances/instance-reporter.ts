import { randomUUID } from 'node:crypto';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Health } from '../health/health.js';
import { errorMessage } from '../logging/error-message.js';
import type { Logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { type PeriodicTask, runPeriodically } from '../process/run-periodically.js';
import type { InstanceSnapshot, InstanceState, Rates } from './instance-snapshot.js';
import type { InstanceStore } from './instance-store.js';
import { readTotals, type Totals } from './read-totals.js';
import { VERSION } from './version.js';

const INTERVAL_MS = 5_000;
/** Latencies are those of the last minute. */
const KEPT_TOTALS = 13;
const NO_RATES: Rates = { messagesPerSecond: 0, acknowledgedPerSecond: 0, requestsPerSecond: 0, pushesPerSecond: 0 };

export interface InstanceReporterOptions {
  readonly service: string;
  readonly store: InstanceStore;
  readonly metrics: Metrics;
  readonly health: Pick<Health, 'report' | 'isDraining'>;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  /** The base URL of the internal port. */
  readonly address?: string | undefined;
  /** Default: 5 s. */
  readonly intervalMs?: number;
}

/** Tells operators each 5 s how this process is. */
export class InstanceReporter {
  readonly id = randomUUID();
  readonly #startedAt = new Date();
  readonly #kept: { readonly at: number; readonly totals: Totals }[] = [];
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  readonly #task: PeriodicTask;
  #isStarting = true;

  constructor(private readonly options: InstanceReporterOptions) {
    this.#delay.enable();
    const report = () => this.#report();
    this.#task = runPeriodically(options.intervalMs ?? INTERVAL_MS, report, { log: options.log, name: 'snapshot' });
    void this.#task.runNow();
  }

  /** The process takes requests from now on. Resolves when that is known to operators. */
  async markStarted(): Promise<void> {
    this.#isStarting = false;
    await this.#task.runNow(); // a run that began before
    await this.#task.runNow();
  }

  /** Writes no more, and removes what was written. Never rejects. */
  async close(): Promise<void> {
    this.#delay.disable();
    await this.#task.close();
    await this.options.store.remove(this.id).catch((error: unknown) => {
      this.options.log.debug({ reason: errorMessage(error) }, 'the snapshot was not removed');
    });
  }

  async #report(): Promise<void> {
    // While Redis is away there is nobody to tell. Others log that.
    await this.options.store.save(await this.#take()).catch((error: unknown) => {
      this.options.log.debug({ reason: errorMessage(error) }, 'the snapshot was not written');
    });
  }

  async #take(): Promise<InstanceSnapshot> {
    const { service, metrics, address } = this.options;
    const totals = await readTotals(metrics);
    const last = this.#kept.at(-1);
    const now = { at: performance.now(), totals };
    this.#kept.push(now);
    if (this.#kept.length > KEPT_TOTALS) this.#kept.shift();
    const first = this.#kept.length < KEPT_TOTALS ? undefined : this.#kept[0];
    const { state, reasons } = await this.#readState();
    const { rss, heapUsed } = process.memoryUsage();
    return {
      id: this.id,
      service,
      version: VERSION,
      startedAt: this.#startedAt.toISOString(),
      seenAt: new Date().toISOString(),
      state,
      reasons,
      sockets: totals.sockets,
      rssBytes: rss,
      heapBytes: heapUsed,
      loopDelayMs: this.#readLoopDelay(),
      ...(address === undefined ? {} : { address }),
      rates: last === undefined ? NO_RATES : toRates(last, now),
      latencyCounts: totals.latencyCounts.map((count, index) => count - (first?.totals.latencyCounts[index] ?? 0)),
      limitsHit: totals.limitsHit,
    };
  }

  async #readState(): Promise<{ state: InstanceState; reasons: string[] }> {
    const { health } = this.options;
    const { status, checks } = await health.report();
    const reasons = Object.entries(checks).flatMap(([name, text]) => (text === 'ok' ? [] : [`${name}: ${text}`]));
    if (health.isDraining) return { state: 'draining', reasons };
    if (this.#isStarting) return { state: 'starting', reasons };
    return { state: status, reasons };
  }

  #readLoopDelay(): number {
    // Without a sample it is NaN.
    const ms = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / 1e6;
    this.#delay.reset();
    return Math.round(ms * 10) / 10;
  }
}

type Sample = { readonly at: number; readonly totals: Totals };

function toRates(before: Sample, now: Sample): Rates {
  const seconds = Math.max(0.001, (now.at - before.at) / 1_000);
  const rate = (name: 'stored' | 'acknowledged' | 'requests' | 'pushes') =>
    Math.round(((now.totals[name] - before.totals[name]) / seconds) * 100) / 100;
  return {
    messagesPerSecond: rate('stored'),
    acknowledgedPerSecond: rate('acknowledged'),
    requestsPerSecond: rate('requests'),
    pushesPerSecond: rate('pushes'),
  };
}
