import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.js';
import type { Tracer } from '../tracing/tracer.js';
import { checkJob, checkJobDelay, checkJobName } from './check-job.js';
import { DEFAULT_CLOSE_TIMEOUT_MS, endsWithin } from './ends-within.js';
import { JobsUnavailableError } from './job-errors.js';
import type { JobPolicy, Retention } from './job-policy.js';
import type {
  AddOptions,
  JobCounts,
  JobData,
  JobHandlers,
  JobQueue,
  JobState,
  JobStatus,
  JobWorker,
  JsonValue,
  NewJob,
  RepeatOptions,
  RetryOutcome,
  WorkOptions,
} from './job-queue.js';
import { type AttemptResult, type RunJobOptions, runJob } from './run-job.js';

/** The maximum number of unfinished jobs. */
const MAX_UNFINISHED = 100_000;

interface Job {
  readonly id: string;
  readonly name: string;
  /** JSON text, so that no caller shares an object with another. */
  readonly data: string;
  readonly addedAt: Date;
  state: JobState;
  attempts: number;
  result?: JsonValue;
  reason?: string;
  finishedAt?: Date;
  timer?: NodeJS.Timeout;
}

interface Worker {
  readonly runOptions: RunJobOptions;
  readonly concurrency: number;
  readonly stop: AbortController;
  readonly running: Set<Promise<void>>;
}

interface Schedule {
  readonly everyMs: number;
  timer: NodeJS.Timeout;
  lastId: string | undefined;
}

export interface InProcessJobQueueOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

/**
 * Jobs in the memory of this process, for standalone. It keeps all promises of the interface except durability: jobs are lost
 * when the process ends, so work that must not be lost has to be found again in the database. At most 100,000 unfinished
 * jobs.
 */
export class InProcessJobQueue implements JobQueue {
  readonly #jobs = new Map<string, Job>();
  readonly #waiting = new Set<Job>();
  readonly #completed = new Set<Job>();
  readonly #failed = new Set<Job>();
  readonly #schedules = new Map<string, Schedule>();
  readonly #workers = new Map<Worker, JobWorker>();
  #stopWatching: (() => void) | undefined;
  #closed = false;

  constructor(
    readonly name: string,
    private readonly options: InProcessJobQueueOptions,
    private readonly policy: JobPolicy,
  ) {}

  async add(name: string, data: JobData, options: AddOptions = {}): Promise<string> {
    const [id] = await this.addAll([{ name, data, options }]);
    return id as string;
  }

  async addAll(jobs: readonly NewJob[]): Promise<string[]> {
    const checked = jobs.map((job) => ({ job, data: checkJob(job) }));
    this.#assertOpen();
    const unfinished = this.#jobs.size - this.#completed.size - this.#failed.size;
    if (unfinished + jobs.length > MAX_UNFINISHED) throw new JobsUnavailableError(new Error('the queue is full'));
    return checked.map(({ job, data }) => this.#addUnlessKnown(job.options?.id ?? randomUUID(), job, data));
  }

  async find(id: string): Promise<JobStatus | undefined> {
    this.#assertOpen();
    const job = this.#jobs.get(id);
    return job && toStatus(job);
  }

  async list(state: JobState, limit: number): Promise<JobStatus[]> {
    this.#assertOpen();
    const jobs = [...this.#jobs.values()].filter((job) => job.state === state);
    return jobs.slice(-limit).reverse().map(toStatus);
  }

  async retry(id: string): Promise<RetryOutcome> {
    this.#assertOpen();
    const job = this.#jobs.get(id);
    if (job === undefined) return 'unknown';
    if (job.state !== 'failed') return 'not_failed';
    this.#failed.delete(job);
    job.attempts = 0;
    delete job.reason;
    delete job.finishedAt;
    this.#enqueue(job, 0);
    return 'retried';
  }

  async repeat(name: string, everyMs: number, options: RepeatOptions = {}): Promise<void> {
    checkJobName(name);
    checkJobDelay(everyMs, 1);
    this.#assertOpen();
    const known = this.#schedules.get(name);
    if (known?.everyMs === everyMs) return;
    clearTimeout(known?.timer);
    const firstMs = options.first === 'later' ? everyMs : 0;
    const schedule: Schedule = {
      everyMs,
      lastId: known?.lastId,
      timer: this.#startTimer(firstMs, () => this.#tick(name)),
    };
    this.#schedules.set(name, schedule);
  }

  work(handlers: JobHandlers, options: WorkOptions): JobWorker {
    const worker: Worker = {
      runOptions: { queue: this.name, handlers, policy: this.policy, onEnded: options.onEnded, ...this.options },
      concurrency: options.concurrency,
      stop: new AbortController(),
      running: new Set(),
    };
    let closing: Promise<void> | undefined;
    const close = async () => {
      this.#workers.delete(worker);
      worker.stop.abort();
      await endsWithin(Promise.all(worker.running), options.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS);
    };
    const handle: JobWorker = { close: () => (closing ??= close()) };
    this.#workers.set(worker, handle);
    this.#stopWatching ??= this.options.metrics.addJobCounts(this.name, () => this.counts());
    this.#dispatchSoon();
    return handle;
  }

  async counts(): Promise<JobCounts> {
    this.#assertOpen();
    const counts = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 };
    for (const { state } of this.#jobs.values()) counts[state] += 1;
    return counts;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching?.();
    for (const { timer } of this.#schedules.values()) clearTimeout(timer);
    this.#schedules.clear();
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
    for (const { timer } of this.#jobs.values()) clearTimeout(timer);
    this.#jobs.clear();
  }

  #assertOpen(): void {
    if (this.#closed) throw new JobsUnavailableError(new Error('the queue is closed'));
  }

  #addUnlessKnown(id: string, { name, options }: NewJob, data: string): string {
    if (this.#jobs.has(id)) return id;
    const job: Job = { id, name, data, addedAt: new Date(), state: 'waiting', attempts: 0 };
    this.#jobs.set(id, job);
    this.#enqueue(job, options?.delayMs ?? 0);
    return id;
  }

  #enqueue(job: Job, delayMs: number): void {
    if (delayMs === 0) {
      job.state = 'waiting';
      this.#waiting.add(job);
      this.#dispatchSoon();
      return;
    }
    job.state = 'delayed';
    job.timer = this.#startTimer(delayMs, () => this.#enqueue(job, 0));
  }

  /** A timer that does not keep the process alive. */
  #startTimer(ms: number, run: () => void): NodeJS.Timeout {
    return setTimeout(run, ms).unref();
  }

  #tick(name: string): void {
    const schedule = this.#schedules.get(name);
    if (schedule === undefined) return;
    schedule.timer = this.#startTimer(schedule.everyMs, () => this.#tick(name));
    const last = this.#jobs.get(schedule.lastId ?? '');
    // While the previous run still waits, another one would not help.
    if (last?.state === 'waiting') return;
    const id = `repeat:${name}:${Date.now()}`;
    schedule.lastId = this.#addUnlessKnown(id, { name, data: {} }, '{}');
  }

  #dispatchSoon(): void {
    queueMicrotask(() => this.#dispatch());
  }

  #dispatch(): void {
    for (const worker of this.#workers.keys()) {
      for (const job of this.#waiting) {
        if (worker.running.size >= worker.concurrency) break;
        this.#waiting.delete(job);
        job.state = 'active';
        const run: Promise<void> = this.#run(worker, job).finally(() => {
          worker.running.delete(run);
          this.#dispatch();
        });
        worker.running.add(run);
      }
    }
  }

  async #run({ runOptions, stop }: Worker, job: Job): Promise<void> {
    const attempt = job.attempts + 1;
    const result = await runJob(runOptions, {
      id: job.id,
      name: job.name,
      data: JSON.parse(job.data) as JobData,
      addedAt: job.addedAt,
      attempt,
      lastAttempt: attempt >= this.policy.attempts,
      signal: stop.signal,
    });
    if (!this.#closed) this.#applyResult(job, result);
  }

  #applyResult(job: Job, result: AttemptResult): void {
    if (result.outcome === 'handed_back' || result.outcome === 'postponed') {
      this.#enqueue(job, result.outcome === 'postponed' ? result.delayMs : 0);
      return;
    }
    job.attempts += 1;
    if (result.outcome !== 'completed') job.reason = result.reason;
    if (result.outcome === 'retried') {
      this.#enqueue(job, result.delayMs);
      return;
    }
    job.state = result.outcome;
    job.finishedAt = new Date();
    if (result.outcome === 'completed') {
      const copy: JsonValue = JSON.parse(JSON.stringify(result.result ?? null)) as JsonValue;
      job.result = copy;
      delete job.reason;
      this.#retain(this.#completed, job, this.policy.keepCompleted);
    } else this.#retain(this.#failed, job, this.policy.keepFailed);
  }

  #retain(finished: Set<Job>, job: Job, retention: Retention): void {
    finished.add(job);
    const oldest = Date.now() - retention.ageMs;
    for (const kept of finished) {
      if (finished.size <= retention.count && (kept.finishedAt?.getTime() ?? 0) > oldest) break;
      finished.delete(kept);
      this.#jobs.delete(kept.id);
    }
  }
}

function toStatus(job: Job): JobStatus {
  return {
    id: job.id,
    name: job.name,
    state: job.state,
    attempts: job.attempts,
    ...(job.result === undefined || job.result === null ? {} : { result: job.result }),
    ...(job.reason === undefined ? {} : { reason: job.reason }),
    addedAt: job.addedAt,
    ...(job.finishedAt === undefined ? {} : { finishedAt: job.finishedAt }),
  };
}
