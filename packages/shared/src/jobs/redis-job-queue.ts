import { randomUUID } from 'node:crypto';
import type { Job, JobsOptions, Queue } from 'bullmq';
import type { Logger } from 'pino';
import { errorMessage } from '../logging/error-message.js';
import type { Metrics } from '../metrics/metrics.js';
import type { RedisClients } from '../redis/redis-clients.js';
import type { Tracer } from '../tracing/tracer.js';
import { checkJob, checkJobDelay, checkJobName } from './check-job.js';
import { endsWithin } from './ends-within.js';
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
import { fromBullId, parseBullId, toBullId } from './redis-job-ids.js';
import { type RedisJobTimes, startRedisJobWorker } from './redis-job-worker.js';

export interface RedisJobQueueOptions {
  readonly redis: RedisClients;
  /** The prefix of every key. */
  readonly prefix: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  readonly times?: RedisJobTimes | undefined;
}

const DEFAULT_TIMES: RedisJobTimes = { lockMs: 30_000, stalledCheckIntervalMs: 15_000 };
/** A little less than the second that the interface promises. */
const ANSWER_TIMEOUT_MS = 750;
const ADD_BATCH_SIZE = 500;
const RENEW_INTERVAL_MS = 60_000;
const MAX_EVENTS = 1_000;

/**
 * Jobs in Redis through BullMQ, for any number of processes. BullMQ is loaded by the first call, so a process that does not
 * use the queue does not load it. Calls use the process's command connection, which fails at once while Redis is unavailable.
 * A worker opens two connections of its own, which wait.
 */
export class RedisJobQueue implements JobQueue {
  readonly #workers = new Set<JobWorker>();
  /** The schedules of this instance, to be renewed when Redis has lost its data. */
  readonly #schedules = new Map<string, () => Promise<void>>();
  readonly #onReady = () => void this.#renewSchedules();
  #renewalTimer: NodeJS.Timeout | undefined;
  #opening: Promise<Queue> | undefined;
  #stopWatching: (() => void) | undefined;
  #closed = false;

  constructor(
    readonly name: string,
    private readonly options: RedisJobQueueOptions,
    private readonly policy: JobPolicy,
  ) {
    options.redis.commands.on('ready', this.#onReady);
  }

  async add(name: string, data: JobData, options: AddOptions = {}): Promise<string> {
    checkJob({ name, data, options });
    const id = options.id ?? randomUUID();
    await this.#call((queue) => queue.add(name, data, toBullJobOptions(id, options)));
    return id;
  }

  async addAll(jobs: readonly NewJob[]): Promise<string[]> {
    for (const job of jobs) checkJob(job);
    const named = jobs.map((job) => ({ ...job, id: job.options?.id ?? randomUUID() }));
    for (let start = 0; start < named.length; start += ADD_BATCH_SIZE) {
      const portion = named.slice(start, start + ADD_BATCH_SIZE);
      await this.#call((queue) =>
        queue.addBulk(
          portion.map(({ id, name, data, options }) => ({ name, data, opts: toBullJobOptions(id, options) })),
        ),
      );
    }
    return named.map(({ id }) => id);
  }

  async find(id: string): Promise<JobStatus | undefined> {
    const key = parseBullId(id);
    if (key === undefined) return undefined;
    return await this.#call(async (queue) => {
      // State and job are two queries. A job that was read between two equal states belongs to that state.
      let state = toJobState(await queue.getJobState(key));
      for (;;) {
        const job: Job | undefined = await queue.getJob(key);
        const now = toJobState(await queue.getJobState(key));
        if (job === undefined || now === undefined) return undefined;
        if (now === state) return toJobStatus(id, job, state);
        state = now;
      }
    });
  }

  async list(state: JobState, limit: number): Promise<JobStatus[]> {
    return await this.#call(async (queue) => {
      const jobs: (Job | undefined)[] = await queue.getJobs([state], 0, limit - 1);
      // A job that was removed meanwhile is missing, and one that has no id was not made by this class.
      return jobs.flatMap((job) => (job?.id === undefined ? [] : [toJobStatus(fromBullId(job.id), job, state)]));
    });
  }

  async retry(id: string): Promise<RetryOutcome> {
    const key = parseBullId(id);
    if (key === undefined) return 'unknown';
    return await this.#call(async (queue) => {
      const job: Job | undefined = await queue.getJob(key);
      if (job === undefined) return 'unknown';
      if (toJobState(await queue.getJobState(key)) !== 'failed') return 'not_failed';
      try {
        // BullMQ would keep the count of lost workers, and the job would fail at once.
        await this.options.redis.commands.hset(queue.toKey(key), 'stc', 0);
        await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
        return 'retried';
      } catch (error) {
        // Another caller has retried it meanwhile, or it was removed.
        const state = toJobState(await queue.getJobState(key));
        if (state === undefined) return 'unknown';
        if (state !== 'failed') return 'not_failed';
        throw error;
      }
    });
  }

  async repeat(name: string, everyMs: number, options: RepeatOptions = {}): Promise<void> {
    checkJobName(name);
    checkJobDelay(everyMs, 1);
    const schedule = async () => {
      const begin = options.first === 'later' ? { startDate: Date.now() + everyMs } : {};
      await this.#call((queue) => queue.upsertJobScheduler(name, { every: everyMs, ...begin }, { name, data: {} }));
    };
    await schedule();
    this.#schedules.set(name, schedule);
    this.#renewalTimer ??= setInterval(
      () => void this.#renewSchedules(true),
      this.options.times?.renewIntervalMs ?? RENEW_INTERVAL_MS,
    ).unref();
  }

  work(handlers: JobHandlers, options: WorkOptions): JobWorker {
    const worker = startRedisJobWorker(
      {
        queue: this.name,
        handlers,
        policy: this.policy,
        onEnded: options.onEnded,
        ...this.options,
        times: this.options.times ?? DEFAULT_TIMES,
        prefix: this.#prefix,
      },
      options,
    );
    this.#stopWatching ??= this.options.metrics.addJobCounts(this.name, () => this.counts());
    this.#workers.add(worker);
    return {
      close: async () => {
        await worker.close();
        this.#workers.delete(worker);
      },
    };
  }

  async counts(): Promise<JobCounts> {
    const states = ['waiting', 'delayed', 'active', 'completed', 'failed'] as const;
    const counts = await this.#call((queue) => queue.getJobCounts(...states));
    const countOf = (state: JobState) => counts[state] ?? 0;
    return {
      waiting: countOf('waiting'),
      delayed: countOf('delayed'),
      active: countOf('active'),
      completed: countOf('completed'),
      failed: countOf('failed'),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching?.();
    clearInterval(this.#renewalTimer);
    this.options.redis.commands.off('ready', this.#onReady);
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    const queue = await this.#opening?.catch(() => undefined);
    await queue?.close().catch((error: unknown) => this.#warn(error, 'could not close a job queue cleanly'));
  }

  get #prefix(): string {
    return `${this.options.prefix}:jobs`;
  }

  /** @throws {JobsUnavailableError} when Redis does not answer in time, or answers with an error */
  async #call<T>(call: (queue: Queue) => Promise<T>): Promise<T> {
    try {
      const queue = await this.#getQueue();
      let answer: { readonly value: T } | undefined;
      const pending = call(queue).then((value) => {
        answer = { value };
      });
      await endsWithin(pending, ANSWER_TIMEOUT_MS);
      if (answer !== undefined) return answer.value;
      throw new Error(`Redis did not answer within ${ANSWER_TIMEOUT_MS} ms`);
    } catch (error) {
      throw new JobsUnavailableError(error);
    }
  }

  async #getQueue(): Promise<Queue> {
    if (this.#closed) throw new Error('the queue is closed');
    const { status } = this.options.redis.commands;
    if (status !== 'ready') throw new Error(`the connection to Redis is ${status}`);
    this.#opening ??= this.#open();
    return await this.#opening;
  }

  async #open(): Promise<Queue> {
    const { commands } = this.options.redis;
    const { Queue } = await import('bullmq');
    const queue = new Queue(this.name, {
      connection: commands,
      prefix: this.#prefix,
      // BullMQ would check both only once, and would never recover if Redis were unavailable at that moment.
      skipVersionCheck: true,
      skipWaitingForReady: true,
      streams: { events: { maxLen: MAX_EVENTS } },
      defaultJobOptions: {
        attempts: this.policy.attempts,
        backoff: { type: 'custom' },
        removeOnComplete: toBullRetention(this.policy.keepCompleted),
        removeOnFail: toBullRetention(this.policy.keepFailed),
        stackTraceLimit: 0,
        keepLogs: 0,
      },
    });
    // Each call rejects with its own error, and the owner of the connection logs outages.
    queue.on('error', () => undefined);
    void this.#checkEviction();
    return queue;
  }

  async #checkEviction(): Promise<void> {
    const memory = await this.options.redis.commands.info('memory').catch(() => '');
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'noeviction';
    if (policy === 'noeviction') return;
    this.options.log.warn(
      { queue: this.name, policy },
      'Redis may evict jobs when it is full: set its maxmemory-policy to noeviction',
    );
  }

  /** @param onlyLost keeps existing schedules, because another instance may have replaced one with another period */
  async #renewSchedules(onlyLost = false): Promise<void> {
    if (this.#closed || this.options.redis.commands.status !== 'ready') return;
    try {
      for (const [name, schedule] of this.#schedules) {
        if (onlyLost && (await this.#call((queue) => queue.getJobScheduler(name))) !== undefined) continue;
        await schedule();
      }
    } catch (error) {
      // Redis is unavailable again or slow. The next try is when it is ready, and each minute.
      this.#warn(error, 'could not renew the schedules of jobs');
    }
  }

  #warn(error: unknown, message: string): void {
    this.options.log.warn({ queue: this.name, reason: errorMessage(error) }, message);
  }
}

function toBullJobOptions(id: string, options: AddOptions | undefined): JobsOptions {
  return { jobId: toBullId(id), delay: options?.delayMs ?? 0 };
}

function toBullRetention({ count, ageMs }: Retention): { count: number; age: number } {
  return { count, age: Math.ceil(ageMs / 1_000) };
}

/** @returns undefined for a job that was removed in the meantime */
function toJobState(state: string): JobState | undefined {
  switch (state) {
    case 'delayed':
    case 'active':
    case 'completed':
    case 'failed':
      return state;
    case 'unknown':
      return undefined;
    default:
      return 'waiting';
  }
}

function toJobStatus(id: string, job: Job, state: JobState): JobStatus {
  const result = job.returnvalue as JsonValue | undefined;
  return {
    id,
    name: job.name,
    state,
    attempts: job.attemptsMade,
    ...(result === undefined || result === null ? {} : { result }),
    ...(state === 'completed' || !job.failedReason ? {} : { reason: job.failedReason }),
    addedAt: new Date(job.timestamp),
    ...(job.finishedOn === undefined ? {} : { finishedAt: new Date(job.finishedOn) }),
  };
}
