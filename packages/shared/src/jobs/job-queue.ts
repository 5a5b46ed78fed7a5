export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [name: string]: JsonValue };

/** Plain JSON, of up to a megabyte; better a few hundred bytes, and the rest in the database. */
export type JobData = JsonObject;

/**
 * Work that is done later, by whoever works the queue.
 *
 * - **Durability**: a job is kept when `add` resolves, until it has finished, in Redis as durably as Redis keeps its data.
 *   In process: as long as the process lives.
 * - **Delivery**: at least once. A job whose worker died or lost its connection is run again by another one, so a handler
 *   must be safe to repeat, also beside a run that goes on. One that loses its workers too often ends as failed.
 * - **Order**: jobs without delay begin in the order in which they were added; retries and concurrency change that.
 * - **Retries**: see {@link JobPolicy}. A handler may postpone a job, which costs no attempt. A job that was used up, or
 *   that threw `PermanentJobError`, stays among the failed with its reason, as one that completed does with its result,
 *   both for as long as the policy keeps them.
 * - **Errors**: calls reject with `JobsUnavailableError` within a second while the broker is away, and never wait for it.
 *   Workers wait, and go on by themselves. Impossible arguments are a `RangeError`.
 */
export interface JobQueue {
  readonly name: string;
  /**
   * Kept when it resolves.
   *
   * @returns the job's id
   * @throws {JobsUnavailableError} the broker is away, or the queue is full (in process); {RangeError} for what no job
   *   can be
   */
  add(name: string, data: JobData, options?: AddOptions): Promise<string>;
  /**
   * Many at once, in order. When it throws, those in front may be kept: with ids, repeating is safe.
   *
   * @returns ids, in the order of the jobs
   * @throws like `add`
   */
  addAll(jobs: readonly NewJob[]): Promise<string[]>;
  /**
   * @returns undefined when there is no such job, or not any more
   * @throws {JobsUnavailableError}
   */
  find(id: string): Promise<JobStatus | undefined>;
  /**
   * Adds a job of this name, without data, again and again: one schedule for all instances, however many ask for it.
   * Asking again with the same period changes nothing; another period replaces the schedule. A run that takes longer than
   * the period may meet the next one.
   *
   * @param everyMs from 1 to 2^31 - 1
   * @throws {JobsUnavailableError}, {RangeError}
   */
  repeat(name: string, everyMs: number, options?: RepeatOptions): Promise<void>;
  /**
   * Starts handling jobs, here. Never throws for a broker that is away: it begins when the broker is there.
   *
   * @param handlers by a job's name; a job of another name fails for good
   */
  work(handlers: JobHandlers, options: WorkOptions): JobWorker;
  /** @throws {JobsUnavailableError} */
  counts(): Promise<JobCounts>;
  /** Closes its workers, and what it has open. Safe to call twice; never throws. */
  close(): Promise<void>;
}

export interface AddOptions {
  /**
   * 1 to 128 letters, digits, `_`, `-` or `.`. While a job with this id is kept, adding it again changes nothing. Without
   * one, an id is made up.
   */
  readonly id?: string | undefined;
  /** Begins no sooner; from 0 to 2^31 - 1. */
  readonly delayMs?: number | undefined;
}

export interface NewJob {
  readonly name: string;
  readonly data: JobData;
  readonly options?: AddOptions | undefined;
}

export interface RepeatOptions {
  /** When a schedule that is new begins: at once (default), or after a period. */
  readonly first?: 'now' | 'later' | undefined;
}

export type JobState = 'waiting' | 'delayed' | 'active' | 'completed' | 'failed';

export interface JobStatus {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  /** Attempts that have ended, whatever way. */
  readonly attempts: number;
  /** What its handler returned, unless that was nothing or null. */
  readonly result?: JsonValue;
  /** Why it failed, or why its last attempt did. */
  readonly reason?: string;
  readonly addedAt: Date;
  readonly finishedAt?: Date;
}

export type JobCounts = Readonly<Record<JobState, number>>;

export interface RunningJob {
  readonly id: string;
  readonly name: string;
  readonly data: JobData;
  readonly addedAt: Date;
  /** From 1. A job that lost its worker, was handed back or postponed, repeats its attempt. */
  readonly attempt: number;
  readonly lastAttempt: boolean;
  /**
   * Aborted when the worker closes: end soon. What is thrown after that, other than `PermanentJobError`, hands the job
   * back; it costs no attempt.
   */
  readonly signal: AbortSignal;
}

/**
 * @throws anything: the attempt has failed; {PermanentJobError}: so has the job; {RetryJobError}: try again, not before
 *   its time; {PostponeJobError}: the same, and this was no attempt. The message of what is thrown is kept as the reason
 *   and logged, so it may hold no secret.
 */
export type JobHandler = (job: RunningJob) => Promise<JsonValue | undefined>;
export type JobHandlers = Readonly<Record<string, JobHandler>>;

export interface WorkOptions {
  /** How many jobs at once. */
  readonly concurrency: number;
  /** How long closing waits for jobs that run. Default 10,000. */
  readonly closeMs?: number | undefined;
  /** Told the id of each job that ends here, as completed or as failed, just before it is kept as such. Must not throw. */
  readonly ended?: ((id: string) => void) | undefined;
}

export interface JobWorker {
  /**
   * Takes no more jobs, and waits for those that run, for as long as `closeMs`; those that take longer are run again
   * elsewhere. Safe to call twice; never throws.
   */
  close(): Promise<void>;
}
