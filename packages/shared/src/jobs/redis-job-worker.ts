import type { Job, Worker } from 'bullmq';
import { errorMessage } from '../logging/error-message.js';
import type { RedisClients } from '../redis/redis-clients.js';
import { DEFAULT_CLOSE_TIMEOUT_MS, endsWithin } from './ends-within.js';
import type { JobData, JobWorker, RunningJob, WorkOptions } from './job-queue.js';
import { fromBullId } from './redis-job-ids.js';
import { type RunJobOptions, reportAttempt, runJob } from './run-job.js';
import { WorkerConnection } from './worker-connection.js';

/** A job whose worker was killed runs again after at most about `lockMs` plus twice `stalledCheckIntervalMs`. */
export interface RedisJobTimes {
  readonly lockMs: number;
  readonly stalledCheckIntervalMs: number;
  /** How often schedules are renewed, because Redis may lose its data and keep its connections. Default: a minute. */
  readonly renewIntervalMs?: number;
}

export interface RedisJobWorkerOptions extends RunJobOptions {
  readonly redis: RedisClients;
  /** The prefix of every key of the queue. */
  readonly prefix: string;
  readonly times: RedisJobTimes;
}

/** How long BullMQ may take to close once no job runs. It needs one or two replies of Redis, which may be unavailable. */
const BULL_CLOSE_TIMEOUT_MS = 2_000;
/** The pause after a failed fetch. */
const FETCH_RETRY_AFTER_MS = 1_000;

/** Starts a worker for a queue in Redis. BullMQ is loaded and connects in the background, once Redis is available. */
export function startRedisJobWorker(options: RedisJobWorkerOptions, work: WorkOptions): JobWorker {
  const { log, queue } = options;
  const connection = WorkerConnection.fromConnection(options.redis.commands, log);
  const stop = new AbortController();
  const running = new Set<Promise<unknown>>();

  const opening = openBullWorker(options, connection, work.concurrency, (job, token) => {
    const run = runBullJob(options, job, token, stop.signal);
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
      await endsWithin(Promise.allSettled(running), work.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS);
      if (running.size > 0) log.warn({ queue, jobs: running.size }, 'running jobs are left to other workers');
      else if (closed !== undefined) await endsWithin(closed, BULL_CLOSE_TIMEOUT_MS);
    } catch (error) {
      log.warn({ queue, reason: errorMessage(error) }, 'could not close a job worker cleanly');
    }
    connection.disconnectAll();
  };
  let closing: Promise<void> | undefined;
  return { close: () => (closing ??= close()) };
}

async function openBullWorker(
  options: RedisJobWorkerOptions,
  connection: WorkerConnection,
  concurrency: number,
  run: (job: Job, token: string) => Promise<unknown>,
): Promise<Worker> {
  const { Worker } = await import('bullmq');
  const worker = new Worker(options.queue, (job: Job, token = '') => run(job, token), {
    connection,
    prefix: options.prefix,
    concurrency,
    lockDuration: options.times.lockMs,
    stalledInterval: options.times.stalledCheckIntervalMs,
    // `runBullJob` counts instead, because BullMQ lets a repeated job take down one worker after another.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    runRetryDelay: FETCH_RETRY_AFTER_MS,
    settings: { backoffStrategy: (_attempt, _type, error) => (error instanceof RetryAfter ? error.delayMs : 1) },
  });
  worker.on('error', (error) => {
    // The connection itself logs an outage, once.
    if (connection.status === 'ready')
      options.log.warn({ queue: options.queue, reason: error.message }, 'job worker error');
  });
  worker.on('stalled', (id) => options.log.warn({ queue: options.queue, id: fromBullId(id) }, 'job lost its worker'));
  return worker;
}

/** Carries the delay of a retry from {@link runBullJob} to BullMQ. */
class RetryAfter extends Error {
  override readonly name = 'RetryAfter';
  constructor(
    reason: string,
    readonly delayMs: number,
  ) {
    super(reason);
  }
}

/**
 * @returns the result to store
 * @throws the error by which BullMQ fails, retries, delays or returns the job
 */
async function runBullJob(
  options: RedisJobWorkerOptions,
  job: Job,
  token: string,
  signal: AbortSignal,
): Promise<unknown> {
  const { DelayedError, UnrecoverableError, WaitingError } = await import('bullmq');
  const attempt = job.attemptsMade + 1;
  const running: RunningJob = {
    id: fromBullId(job.id ?? ''),
    name: job.name,
    data: job.data as JobData,
    addedAt: new Date(job.timestamp),
    attempt,
    lastAttempt: attempt >= (job.opts.attempts ?? 1),
    signal,
  };
  if (job.stalledCounter > options.policy.maxStalls) {
    const reason = `it lost its worker ${job.stalledCounter} times`;
    reportAttempt(options, running, { outcome: 'failed', reason });
    throw new UnrecoverableError(reason);
  }
  const result = await runJob(options, running);
  switch (result.outcome) {
    case 'completed':
      return result.result;
    case 'failed':
      throw new UnrecoverableError(result.reason);
    case 'retried':
      throw new RetryAfter(result.reason, result.delayMs);
    case 'postponed':
      await job.moveToDelayed(Date.now() + result.delayMs, token);
      throw new DelayedError();
    case 'handed_back':
      await job.moveToWait(token);
      throw new WaitingError();
  }
}
