export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [name: string]: JsonValue };

/** Plain JSON of at most 1,000,000 characters. Keep it to a few hundred bytes, and the rest in the database. */
export type JobData = JsonObject;

/**
 * A queue of work that is done later, by the workers of the queue.
 *
 * - **Durability**: a job is stored when `add` resolves, until it has finished. In Redis it is as durable as Redis data; in
 *   process it lives as long as the process.
 * - **Delivery**: at least once. When a worker dies or loses its connection, another one runs its job again. So a handler
 *   must be idempotent, even while an earlier run is still in progress. A job that loses its worker too often fails.
 * - **Order**: jobs without delay begin in the order in which they were added, except for retries and concurrency.
 * - **Retries**: see {@link JobPolicy}. A handler may postpone a job, which does not count as an attempt. A job without
 *   attempts left, or whose handler threw `PermanentJobError`, is kept as failed with its reason. A completed job is kept
 *   with its result. Both are kept as long as the policy says.
 * - **Errors**: while the broker is unavailable, calls reject with `JobsUnavailableError` within a second. Workers wait for
 *   the broker and continue by themselves. Invalid arguments are a `RangeError`.
 */
export interface JobQueue {
  readonly name: string;
  /**
   * Adds a job, which is stored when the promise resolves.
   *
   * @returns the job's id
   * @throws {JobsUnavailableError} when the broker is unavailable, or the in-process queue is full; {RangeError} for invalid
   *   arguments
   */
  add(name: string, data: JobData, options?: AddOptions): Promise<string>;
  /**
   * Adds several jobs in order. After an error the first ones may be stored, so give them ids to make a retry safe.
   *
   * @returns ids, in the order of the jobs
   * @throws like `add`
   */
  addAll(jobs: readonly NewJob[]): Promise<string[]>;
  /**
   * @returns undefined when there is no such job, or it was removed
   * @throws {JobsUnavailableError}
   */
  find(id: string): Promise<JobStatus | undefined>;
  /**
   * The jobs in this state, those that were added last first.
   *
   * @param limit from 1 to 100
   * @throws {JobsUnavailableError}
   */
  list(state: JobState, limit: number): Promise<JobStatus[]>;
  /**
   * Lets a failed job run again, with all its attempts.
   *
   * @returns `not_failed` for a job in another state, which is left as it is
   * @throws {JobsUnavailableError}
   */
  retry(id: string): Promise<RetryOutcome>;
  /**
   * Adds a job of this name, without data, each `everyMs`. There is one schedule for all instances. A call with the same
   * period changes nothing, and a call with another period replaces the schedule. A run that takes longer than the period
   * may overlap with the next one.
   *
   * @param everyMs from 1 to 2^31 - 1
   * @throws {JobsUnavailableError}, {RangeError}
   */
  repeat(name: string, everyMs: number, options?: RepeatOptions): Promise<void>;
  /**
   * Starts a worker in this process. While the broker is unavailable, the worker waits for it; the call does not throw.
   *
   * @param handlers by the name of the job; a job with another name fails without retries
   */
  work(handlers: JobHandlers, options: WorkOptions): JobWorker;
  /** @throws {JobsUnavailableError} */
  counts(): Promise<JobCounts>;
  /** Closes the workers and all connections. Safe to call twice; never throws. */
  close(): Promise<void>;
}

export interface AddOptions {
  /**
   * 1 to 128 letters, digits, `_`, `-` or `.`. While a job with this id is kept, adding it again changes nothing. Default: a
   * random id.
   */
  readonly id?: string | undefined;
  /** The minimum delay before the job begins; from 0 to 2^31 - 1. */
  readonly delayMs?: number | undefined;
}

export interface NewJob {
  readonly name: string;
  readonly data: JobData;
  readonly options?: AddOptions | undefined;
}

export interface RepeatOptions {
  /** When a new schedule begins: at once (default), or after one period. */
  readonly first?: 'now' | 'later' | undefined;
}

export type JobState = 'waiting' | 'delayed' | 'active' | 'completed' | 'failed';

export interface JobStatus {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  /** Attempts that have ended, with any outcome. */
  readonly attempts: number;
  /** The handler's result, unless it was undefined or null. */
  readonly result?: JsonValue;
  /** Why the job or its last attempt failed. */
  readonly reason?: string;
  readonly addedAt: Date;
  readonly finishedAt?: Date;
}

/** The outcome of {@link JobQueue.retry}. */
export type RetryOutcome = 'retried' | 'not_failed' | 'unknown';

export type JobCounts = Readonly<Record<JobState, number>>;

export interface RunningJob {
  readonly id: string;
  readonly name: string;
  readonly data: JobData;
  readonly addedAt: Date;
  /** From 1. A job that lost its worker, was handed back or was postponed repeats the same attempt. */
  readonly attempt: number;
  readonly lastAttempt: boolean;
  /**
   * Is aborted when the worker closes; the handler should then end soon. After that, any error other than
   * `PermanentJobError` hands the job back, which does not count as an attempt.
   */
  readonly signal: AbortSignal;
}

/**
 * Does the work of a job. The message of a thrown error is stored as the reason and logged, so it must not hold a secret.
 *
 * @throws {PermanentJobError} when the job must fail without retries; {RetryJobError} to be retried no sooner than after a
 *   given time; {PostponeJobError} for the same without counting an attempt. With any other error the attempt has failed
 */
export type JobHandler = (job: RunningJob) => Promise<JsonValue | undefined>;
export type JobHandlers = Readonly<Record<string, JobHandler>>;

export interface WorkOptions {
  /** The maximum number of jobs that run at once. */
  readonly concurrency: number;
  /** How long closing waits for running jobs. Default 10,000. */
  readonly closeTimeoutMs?: number | undefined;
  /** Is called with the id of each job that completes or fails here, just before that is stored. Must not throw. */
  readonly onEnded?: ((id: string) => void) | undefined;
}

export interface JobWorker {
  /**
   * Takes no more jobs, and waits up to `closeTimeoutMs` for running ones. Jobs that take longer are run again by another
   * worker. Safe to call twice; never throws.
   */
  close(): Promise<void>;
}
