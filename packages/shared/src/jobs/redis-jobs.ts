import { randomUUID } from 'node:crypto';
import type { Job, JobsOptions, Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.js';
import type { RedisClients } from '../redis/redis-clients.js';
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
import { innerId, innerIdOf } from './redis-job-ids.js';
import { type RedisJobTimes, startRedisWorker } from './redis-job-worker.js';
import { withinMs } from './within.js';

export interface RedisJobsParts {
  readonly redis: RedisClients;
  /** In front of every key. */
  readonly prefix: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly times?: RedisJobTimes | undefined;
}

const TIMES: RedisJobTimes = { lockMs: 30_000, stalledCheckMs: 15_000 };
/** What the interface promises, less a little for the way back. */
const ANSWER_MS = 750;
const JOBS_AT_ONCE = 500;
const RENEW_MS = 60_000;
const EVENTS_KEPT = 1_000;

/**
 * Jobs in Redis, by BullMQ, for any number of processes. BullMQ is loaded by the first call: who has a queue and never
 * uses it doesn't pay for it. Calls go through the process's connection for commands, which fails at once while Redis is
 * away; a worker opens two of its own, which wait.
 */
export class RedisJobs implements JobQueue {
  readonly #workers = new Set<JobWorker>();
  /** What this instance asked to repeat, to ask again of a Redis that has lost its data. */
  readonly #repeats = new Map<string, () => Promise<void>>();
  readonly #onReady = () => void this.#askAgain();
  #renewing: NodeJS.Timeout | undefined;
  #opening: Promise<Queue> | undefined;
  #unwatch: (() => void) | undefined;
  #closed = false;

  constructor(
    readonly name: string,
    private readonly parts: RedisJobsParts,
    private readonly policy: JobPolicy,
  ) {
    parts.redis.commands.on('ready', this.#onReady);
  }

  async add(name: string, data: JobData, options: AddOptions = {}): Promise<string> {
    checkJob({ name, data, options });
    const id = options.id ?? randomUUID();
    await this.#ask((queue) => queue.add(name, data, jobOptions(id, options)));
    return id;
  }

  async addAll(jobs: readonly NewJob[]): Promise<string[]> {
    for (const job of jobs) checkJob(job);
    const named = jobs.map((job) => ({ ...job, id: job.options?.id ?? randomUUID() }));
    for (let start = 0; start < named.length; start += JOBS_AT_ONCE) {
      const portion = named.slice(start, start + JOBS_AT_ONCE);
      await this.#ask((queue) =>
        queue.addBulk(portion.map(({ id, name, data, options }) => ({ name, data, opts: jobOptions(id, options) }))),
      );
    }
    return named.map(({ id }) => id);
  }

  async find(id: string): Promise<JobStatus | undefined> {
    const key = innerIdOf(id);
    if (key === undefined) return undefined;
    return await this.#ask(async (queue) => {
      // State and job are two questions: what was read between two equal states belongs to that state.
      let state = stateOf(await queue.getJobState(key));
      for (;;) {
        const job: Job | undefined = await queue.getJob(key);
        const now = stateOf(await queue.getJobState(key));
        if (job === undefined || now === undefined) return undefined;
        if (now === state) return statusOf(id, job, state);
        state = now;
      }
    });
  }

  async repeat(name: string, everyMs: number, options: RepeatOptions = {}): Promise<void> {
    checkName(name);
    checkDelay(everyMs, 1);
    const ask = async () => {
      const begin = options.first === 'later' ? { startDate: Date.now() + everyMs } : {};
      await this.#ask((queue) => queue.upsertJobScheduler(name, { every: everyMs, ...begin }, { name, data: {} }));
    };
    await ask();
    this.#repeats.set(name, ask);
    this.#renewing ??= setInterval(() => void this.#askAgain(true), this.parts.times?.renewMs ?? RENEW_MS).unref();
  }

  work(handlers: JobHandlers, options: WorkOptions): JobWorker {
    const worker = startRedisWorker(
      {
        queue: this.name,
        handlers,
        policy: this.policy,
        ended: options.ended,
        ...this.parts,
        times: this.parts.times ?? TIMES,
        prefix: this.#prefix,
      },
      options,
    );
    this.#unwatch ??= this.parts.metrics.watchJobs(this.name, () => this.counts());
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
    const counts = await this.#ask((queue) => queue.getJobCounts(...states));
    const of = (state: JobState) => counts[state] ?? 0;
    return {
      waiting: of('waiting'),
      delayed: of('delayed'),
      active: of('active'),
      completed: of('completed'),
      failed: of('failed'),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    clearInterval(this.#renewing);
    this.parts.redis.commands.off('ready', this.#onReady);
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    const queue = await this.#opening?.catch(() => undefined);
    // It has no connection of its own, so there is nothing to wait for.
    await queue?.close().catch((error: unknown) => this.#warn(error, 'could not close a job queue in order'));
  }

  get #prefix(): string {
    return `${this.parts.prefix}:jobs`;
  }

  /** @throws {JobsUnavailableError} when Redis does not answer in time, or answers with an error */
  async #ask<T>(call: (queue: Queue) => Promise<T>): Promise<T> {
    try {
      const queue = await this.#queue();
      let answer: { readonly value: T } | undefined;
      const asked = call(queue).then((value) => {
        answer = { value };
      });
      await withinMs(asked, ANSWER_MS);
      if (answer !== undefined) return answer.value;
      throw new Error(`Redis did not answer within ${ANSWER_MS} ms`);
    } catch (error) {
      throw new JobsUnavailableError(error);
    }
  }

  async #queue(): Promise<Queue> {
    if (this.#closed) throw new Error('the queue is closed');
    const { status } = this.parts.redis.commands;
    if (status !== 'ready') throw new Error(`the connection to Redis is ${status}`);
    this.#opening ??= this.#open();
    return await this.#opening;
  }

  async #open(): Promise<Queue> {
    const { commands } = this.parts.redis;
    const { Queue } = await import('bullmq');
    const queue = new Queue(this.name, {
      connection: commands,
      prefix: this.#prefix,
      // Both would be asked once, and a Redis that is away at that moment would be remembered for ever.
      skipVersionCheck: true,
      skipWaitingForReady: true,
      streams: { events: { maxLen: EVENTS_KEPT } },
      defaultJobOptions: {
        attempts: this.policy.attempts,
        backoff: { type: 'custom' },
        removeOnComplete: keepJobs(this.policy.keepCompleted),
        removeOnFail: keepJobs(this.policy.keepFailed),
        stackTraceLimit: 0,
        keepLogs: 0,
      },
    });
    // Calls reject with what goes wrong, and the connection's owner logs that it is away.
    queue.on('error', () => undefined);
    void this.#checkEviction();
    return queue;
  }

  async #checkEviction(): Promise<void> {
    const memory = await this.parts.redis.commands.info('memory').catch(() => '');
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'noeviction';
    if (policy === 'noeviction') return;
    this.parts.log.warn(
      { queue: this.name, policy },
      'this Redis may drop jobs when it is full: set its maxmemory-policy to noeviction',
    );
  }

  /** @param onlyLost of what is there, an instance with another period may have asked meanwhile */
  async #askAgain(onlyLost = false): Promise<void> {
    if (this.#closed || this.parts.redis.commands.status !== 'ready') return;
    try {
      for (const [name, ask] of this.#repeats) {
        if (onlyLost && (await this.#ask((queue) => queue.getJobScheduler(name))) !== undefined) continue;
        await ask();
      }
    } catch (error) {
      // It is away again, or slow: this is done when it is back, and every minute.
      this.#warn(error, 'could not renew the schedules of jobs');
    }
  }

  #warn(error: unknown, message: string): void {
    this.parts.log.warn({ queue: this.name, reason: error instanceof Error ? error.message : String(error) }, message);
  }
}

function jobOptions(id: string, options: AddOptions | undefined): JobsOptions {
  return { jobId: innerId(id), delay: options?.delayMs ?? 0 };
}

function keepJobs({ count, ageMs }: Retention): { count: number; age: number } {
  return { count, age: Math.ceil(ageMs / 1_000) };
}

/** @returns undefined for a job that was removed meanwhile */
function stateOf(state: string): JobState | undefined {
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

function statusOf(id: string, job: Job, state: JobState): JobStatus {
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
