import { type JobPolicy, type Logger, type Metrics, runJob, type Tracer } from '@messagebox/shared';
import type { NextAttempt, PushDelivery, PushOutbox } from '@messagebox/store';
import { type PushHandler, pushPolicy } from './push-handler.js';

/** Name of the queue, and of its jobs, in logs and metrics. */
export const PUSH = 'push';

const CONCURRENCY = 16;
const BATCH_SIZE = 100;
/** `messagebox_jobs_kept` counts no further. */
const MAX_COUNTED = 100_000;

export interface PushWorkerOptions {
  readonly outbox: PushOutbox;
  readonly handle: PushHandler;
  /** See `PushSender.getPauseMs`. */
  readonly getPauseMs: () => number;
  readonly metrics: Metrics;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer;
  readonly log: Logger;
}

export interface PushWorkerSettings {
  /** Pause between two looks into the outbox when nothing calls `notify`. */
  readonly intervalMs: number;
  /** An instance that dies gives its deliveries back after this time. */
  readonly leaseMs: number;
  readonly policy?: JobPolicy;
}

/**
 * Takes deliveries out of the outbox and handles 16 at a time. A delivery is removed after its last attempt, and
 * rescheduled after others. During a pause of the sender, no delivery is taken. Any number of instances may work at once.
 */
export class PushWorker {
  readonly #timer: NodeJS.Timeout;
  readonly #stop = new AbortController();
  readonly #stopCounting: () => void;
  /** Ids of claimed deliveries whose results are not saved. */
  readonly #claimed = new Set<number>();
  #waiting: PushDelivery[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #done: number[] = [];
  readonly #rescheduled: NextAttempt[] = [];
  #extendedAt = Date.now();
  #running: Promise<void> | undefined;
  #runAgain = false;
  #isFailing = false;
  #failedCount = 0;

  constructor(
    private readonly options: PushWorkerOptions,
    private readonly settings: PushWorkerSettings,
  ) {
    this.#stopCounting = options.metrics.addJobCounts(PUSH, () => this.#count());
    // At random, so that instances which started together do not look together.
    this.#timer = setInterval(() => this.#start(), settings.intervalMs * (0.8 + Math.random() * 0.4));
    this.#timer.unref();
    this.notify();
  }

  /** Says that there may be something to do, and returns at once. After a failure, the next regular look is awaited. */
  notify(): void {
    if (!this.#isFailing) this.#start();
  }

  /** Aborts what is being sent, and gives back everything that has not ended. */
  async close(): Promise<void> {
    this.#stopCounting();
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#sending);
    await this.#saveResults();
    await this.options.outbox.releaseAll();
  }

  #start(): void {
    if (this.#stop.signal.aborted) return;
    this.#runAgain = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#runAgain) this.notify();
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#runAgain && !this.#stop.signal.aborted) {
        this.#runAgain = false;
        await this.#saveResults();
        await this.#extendLeases();
        await this.#claimBatch();
        this.#fillSlots();
      }
      if (this.#isFailing) this.options.log.info('push delivery resumed');
      this.#isFailing = false;
    } catch (error) {
      // One line for each outage.
      if (!this.#isFailing) this.options.log.warn({ reason: describeWithCause(error) }, 'push delivery paused');
      this.#isFailing = true;
    }
  }

  async #saveResults(): Promise<void> {
    const [done, rescheduled] = [[...this.#done], [...this.#rescheduled]];
    if (done.length + rescheduled.length === 0) return;
    await this.options.outbox.remove(done);
    await this.options.outbox.reschedule(rescheduled);
    this.#done.splice(0, done.length);
    this.#rescheduled.splice(0, rescheduled.length);
    for (const id of [...done, ...rescheduled.map((one) => one.id)]) this.#claimed.delete(id);
  }

  async #extendLeases(): Promise<void> {
    const now = Date.now();
    if (now - this.#extendedAt < this.settings.leaseMs / 3) return;
    await this.options.outbox.extend([...this.#claimed], this.settings.leaseMs, now);
    this.#extendedAt = now;
  }

  async #claimBatch(): Promise<void> {
    if (this.#waiting.length > 0) return;
    const pauseMs = this.options.getPauseMs();
    if (pauseMs > 0) {
      this.#notifyIn(pauseMs);
      return;
    }
    const batch = await this.options.outbox.claim(BATCH_SIZE, this.settings.leaseMs);
    // A lease may have run out while the database was unreachable. That delivery is in progress here.
    this.#waiting = batch.filter(({ id }) => !this.#claimed.has(id));
    for (const { id } of this.#waiting) this.#claimed.add(id);
  }

  #fillSlots(): void {
    while (this.#sending.size < CONCURRENCY && !this.#stop.signal.aborted) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) return;
      const sending: Promise<void> = this.#send(delivery).finally(() => {
        this.#sending.delete(sending);
        this.#fillSlots();
        if (this.#waiting.length === 0) this.notify();
      });
      this.#sending.add(sending);
    }
  }

  async #send(delivery: PushDelivery): Promise<void> {
    const { handle, log, metrics, tracer } = this.options;
    const { policy = pushPolicy } = this.settings;
    const attempt = delivery.attempts + 1;
    const result = await runJob(
      { queue: PUSH, handlers: { [PUSH]: (job) => handle(delivery, job) }, policy, log, metrics, tracer },
      {
        id: String(delivery.id),
        name: PUSH,
        data: delivery.traceparent === undefined ? {} : { traceparent: delivery.traceparent },
        addedAt: new Date(delivery.createdAt),
        attempt,
        lastAttempt: attempt >= policy.attempts,
        signal: this.#stop.signal,
      },
    );
    const { id, attempts } = delivery;
    if (result.outcome === 'retried' || result.outcome === 'postponed') {
      const nextAttemptAt = Date.now() + result.delayMs;
      this.#rescheduled.push({ id, attempts: result.outcome === 'retried' ? attempt : attempts, nextAttemptAt });
      this.#notifyIn(result.delayMs);
    } else if (result.outcome !== 'handed_back') this.#done.push(id);
    if (result.outcome === 'failed') this.#failedCount += 1;
  }

  /** The regular look finds what is due later. */
  #notifyIn(ms: number): void {
    if (ms < this.settings.intervalMs) setTimeout(() => this.notify(), ms).unref();
  }

  async #count(): Promise<Record<string, number>> {
    const { due, later } = await this.options.outbox.countDeliveries(MAX_COUNTED);
    const active = this.#claimed.size;
    return { waiting: due, delayed: Math.max(0, later - active), active, failed: this.#failedCount };
  }
}

function describeWithCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} ${error.cause.message}` : error.message;
}
