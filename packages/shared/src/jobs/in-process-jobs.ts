import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.js';
import { checkDelay, checkJob, checkName } from './check-job.js';
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
  WorkOptions,
} from './job-queue.js';
import { type AttemptEnd, type RunParts, runJob } from './run-job.js';
import { CLOSE_MS, withinMs } from './within.js';

/** Jobs that have not finished, beyond which no more are taken. */
const MOST_UNFINISHED = 100_000;

interface Job {
  readonly id: string;
  readonly name: string;
  /** As text, so that nobody changes what another holds. */
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
  readonly parts: RunParts;
  readonly concurrency: number;
  readonly stop: AbortController;
  readonly running: Set<Promise<void>>;
}

interface Schedule {
  readonly everyMs: number;
  timer: NodeJS.Timeout;
  lastId: string | undefined;
}

export interface InProcessParts {
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * Jobs that stay in this process: for standalone. What the interface promises, but for durability: they are lost with
 * the process, so what must not be lost has to be found again in the database. Up to 100,000 unfinished jobs.
 */
export class InProcessJobs implements JobQueue {
  readonly #jobs = new Map<string, Job>();
  readonly #waiting = new Set<Job>();
  readonly #completed = new Set<Job>();
  readonly #failed = new Set<Job>();
  readonly #schedules = new Map<string, Schedule>();
  readonly #workers = new Map<Worker, JobWorker>();
  #unwatch: (() => void) | undefined;
  #closed = false;

  constructor(
    readonly name: string,
    private readonly parts: InProcessParts,
    private readonly policy: JobPolicy,
  ) {}

  async add(name: string, data: JobData, options: AddOptions = {}): Promise<string> {
    const [id] = await this.addAll([{ name, data, options }]);
    return id as string;
  }

  async addAll(jobs: readonly NewJob[]): Promise<string[]> {
    const checked = jobs.map((job) => ({ job, data: checkJob(job) }));
    this.#refuseClosed();
    const unfinished = this.#jobs.size - this.#completed.size - this.#failed.size;
    if (unfinished + jobs.length > MOST_UNFINISHED) throw new JobsUnavailableError(new Error('the queue is full'));
    return checked.map(({ job, data }) => this.#keep(job.options?.id ?? randomUUID(), job, data));
  }

  async find(id: string): Promise<JobStatus | undefined> {
    this.#refuseClosed();
    const job = this.#jobs.get(id);
    if (job === undefined) return undefined;
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

  async repeat(name: string, everyMs: number, options: RepeatOptions = {}): Promise<void> {
    checkName(name);
    checkDelay(everyMs, 1);
    this.#refuseClosed();
    const known = this.#schedules.get(name);
    if (known?.everyMs === everyMs) return;
    clearTimeout(known?.timer);
    const firstMs = options.first === 'later' ? everyMs : 0;
    const schedule: Schedule = { everyMs, lastId: known?.lastId, timer: this.#later(firstMs, () => this.#tick(name)) };
    this.#schedules.set(name, schedule);
  }

  work(handlers: JobHandlers, options: WorkOptions): JobWorker {
    const worker: Worker = {
      parts: { queue: this.name, handlers, policy: this.policy, ended: options.ended, ...this.parts },
      concurrency: options.concurrency,
      stop: new AbortController(),
      running: new Set(),
    };
    let closing: Promise<void> | undefined;
    const close = async () => {
      this.#workers.delete(worker);
      worker.stop.abort();
      await withinMs(Promise.all(worker.running), options.closeMs ?? CLOSE_MS);
    };
    const face: JobWorker = { close: () => (closing ??= close()) };
    this.#workers.set(worker, face);
    this.#unwatch ??= this.parts.metrics.watchJobs(this.name, () => this.counts());
    this.#dispatchSoon();
    return face;
  }

  async counts(): Promise<JobCounts> {
    this.#refuseClosed();
    const counts = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 };
    for (const { state } of this.#jobs.values()) counts[state] += 1;
    return counts;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    for (const { timer } of this.#schedules.values()) clearTimeout(timer);
    this.#schedules.clear();
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
    for (const { timer } of this.#jobs.values()) clearTimeout(timer);
    this.#jobs.clear();
  }

  #refuseClosed(): void {
    if (this.#closed) throw new JobsUnavailableError(new Error('the queue is closed'));
  }

  #keep(id: string, { name, options }: NewJob, data: string): string {
    if (this.#jobs.has(id)) return id;
    const job: Job = { id, name, data, addedAt: new Date(), state: 'waiting', attempts: 0 };
    this.#jobs.set(id, job);
    this.#queue(job, options?.delayMs ?? 0);
    return id;
  }

  #queue(job: Job, delayMs: number): void {
    if (delayMs === 0) {
      job.state = 'waiting';
      this.#waiting.add(job);
      this.#dispatchSoon();
      return;
    }
    job.state = 'delayed';
    job.timer = this.#later(delayMs, () => this.#queue(job, 0));
  }

  /** A timer that does not keep the process alive. */
  #later(ms: number, run: () => void): NodeJS.Timeout {
    return setTimeout(run, ms).unref();
  }

  #tick(name: string): void {
    const schedule = this.#schedules.get(name);
    if (schedule === undefined) return;
    schedule.timer = this.#later(schedule.everyMs, () => this.#tick(name));
    const last = this.#jobs.get(schedule.lastId ?? '');
    // Nobody has taken the one before, so another one would be of no use.
    if (last?.state === 'waiting') return;
    const id = `repeat:${name}:${Date.now()}`;
    schedule.lastId = this.#keep(id, { name, data: {} }, '{}');
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

  async #run({ parts, stop }: Worker, job: Job): Promise<void> {
    const attempt = job.attempts + 1;
    const end = await runJob(parts, {
      id: job.id,
      name: job.name,
      data: JSON.parse(job.data) as JobData,
      addedAt: job.addedAt,
      attempt,
      lastAttempt: attempt >= this.policy.attempts,
      signal: stop.signal,
    });
    if (!this.#closed) this.#apply(job, end);
  }

  #apply(job: Job, end: AttemptEnd): void {
    if (end.outcome === 'handed_back' || end.outcome === 'postponed') {
      this.#queue(job, end.outcome === 'postponed' ? end.delayMs : 0);
      return;
    }
    job.attempts += 1;
    if (end.outcome !== 'completed') job.reason = end.reason;
    if (end.outcome === 'retried') {
      this.#queue(job, end.delayMs);
      return;
    }
    job.state = end.outcome;
    job.finishedAt = new Date();
    if (end.outcome === 'completed') {
      const copy: JsonValue = JSON.parse(JSON.stringify(end.result ?? null)) as JsonValue;
      job.result = copy;
      delete job.reason;
      this.#retain(this.#completed, job, this.policy.keepCompleted);
    } else this.#retain(this.#failed, job, this.policy.keepFailed);
  }

  #retain(finished: Set<Job>, job: Job, keep: Retention): void {
    finished.add(job);
    const oldest = Date.now() - keep.ageMs;
    for (const kept of finished) {
      if (finished.size <= keep.count && (kept.finishedAt?.getTime() ?? 0) > oldest) break;
      finished.delete(kept);
      this.#jobs.delete(kept.id);
    }
  }
}
