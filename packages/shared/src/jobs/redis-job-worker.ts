import type { Job, Worker } from 'bullmq';
import type { RedisClients } from '../redis/redis-clients.js';
import type { JobData, JobWorker, RunningJob, WorkOptions } from './job-queue.js';
import { outerId } from './redis-job-ids.js';
import { endJob, type RunParts, runJob } from './run-job.js';
import { CLOSE_MS, withinMs } from './within.js';
import { WorkerConnection } from './worker-connection.js';

/** How soon a job whose worker was killed is run again: after about `lockMs` and twice `stalledCheckMs`, at most. */
export interface RedisJobTimes {
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  /** How often schedules are asked for again, since a Redis may lose its data and keep its connections. Default: a minute. */
  readonly renewMs?: number;
}

export interface RedisWorkerParts extends RunParts {
  readonly redis: RedisClients;
  /** In front of every key of the queue. */
  readonly prefix: string;
  readonly times: RedisJobTimes;
}

/** How long BullMQ may take to close once no job runs: an answer or two of Redis, which may be away. */
const LAST_ANSWERS_MS = 2_000;
/** Between tries of a fetch that failed. */
const FETCH_AGAIN_MS = 1_000;

/** Runs jobs of a queue in Redis. Loads BullMQ and connects in the background, as soon as Redis is there. */
export function startRedisWorker(parts: RedisWorkerParts, options: WorkOptions): JobWorker {
  const { log, queue } = parts;
  const connection = WorkerConnection.like(parts.redis.commands, log);
  const stop = new AbortController();
  const running = new Set<Promise<unknown>>();

  const opening = open(parts, connection, options.concurrency, (job, token) => {
    const run = runBullJob(parts, job, token, stop.signal);
    running.add(run);
    return run.finally(() => running.delete(run));
  });
  opening.catch((error: unknown) => log.error({ err: error, queue }, 'could not start a job worker'));

  const close = async () => {
    stop.abort();
    const worker = await opening.catch(() => undefined);
    const closed = worker?.close();
    closed?.catch(() => undefined);
    try {
      await withinMs(Promise.allSettled(running), options.closeMs ?? CLOSE_MS);
      if (running.size > 0) log.warn({ queue, jobs: running.size }, 'jobs that still run are left for other workers');
      else if (closed !== undefined) await withinMs(closed, LAST_ANSWERS_MS);
    } catch (error) {
      log.warn({ queue, reason: String(error) }, 'could not close a job worker in order');
    }
    connection.cut();
  };
  let closing: Promise<void> | undefined;
  return { close: () => (closing ??= close()) };
}

async function open(
  parts: RedisWorkerParts,
  connection: WorkerConnection,
  concurrency: number,
  run: (job: Job, token: string) => Promise<unknown>,
): Promise<Worker> {
  const { Worker } = await import('bullmq');
  const worker = new Worker(parts.queue, (job: Job, token = '') => run(job, token), {
    connection,
    prefix: parts.prefix,
    concurrency,
    lockDuration: parts.times.lockMs,
    stalledInterval: parts.times.stalledCheckMs,
    // Counted below: BullMQ lets repeated jobs take down one worker after another.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    runRetryDelay: FETCH_AGAIN_MS,
    settings: { backoffStrategy: (_attempt, _type, error) => (error instanceof RetryAfter ? error.delayMs : 1) },
  });
  worker.on('error', (error) => {
    // While it is away the connection says so, once.
    if (connection.status === 'ready') parts.log.warn({ queue: parts.queue, reason: error.message }, 'job worker');
  });
  worker.on('stalled', (id) => parts.log.warn({ queue: parts.queue, id: outerId(id) }, 'job lost its worker'));
  return worker;
}

/** How {@link runBullJob} tells BullMQ when to try again. */
class RetryAfter extends Error {
  override readonly name = 'RetryAfter';
  constructor(
    reason: string,
    readonly delayMs: number,
  ) {
    super(reason);
  }
}

/** @returns what is kept as the job's result; what becomes of it otherwise is told by what is thrown */
async function runBullJob(parts: RedisWorkerParts, job: Job, token: string, signal: AbortSignal): Promise<unknown> {
  const { DelayedError, UnrecoverableError, WaitingError } = await import('bullmq');
  const attempt = job.attemptsMade + 1;
  const mine: RunningJob = {
    id: outerId(job.id ?? ''),
    name: job.name,
    data: job.data as JobData,
    addedAt: new Date(job.timestamp),
    attempt,
    lastAttempt: attempt >= (job.opts.attempts ?? 1),
    signal,
  };
  if (job.stalledCounter > parts.policy.maxStalls) {
    const reason = `it lost its worker ${job.stalledCounter} times`;
    endJob(parts, mine, { outcome: 'failed', reason });
    throw new UnrecoverableError(reason);
  }
  const end = await runJob(parts, mine);
  switch (end.outcome) {
    case 'completed':
      return end.result;
    case 'failed':
      throw new UnrecoverableError(end.reason);
    case 'retried':
      throw new RetryAfter(end.reason, end.delayMs);
    case 'postponed':
      await job.moveToDelayed(Date.now() + end.delayMs, token);
      throw new DelayedError();
    case 'handed_back':
      await job.moveToWait(token);
      throw new WaitingError();
  }
}
