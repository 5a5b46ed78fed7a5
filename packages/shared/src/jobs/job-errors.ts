/** The broker can't be reached or refuses, or the queue is full. Whether the job was kept is unknown: repeat with its id. */
export class JobsUnavailableError extends Error {
  override readonly name = 'JobsUnavailableError';
  constructor(cause: unknown) {
    super('The job queue is not available.', { cause });
  }
}

/** Thrown by a handler: trying again is of no use. The job fails at once, with this message as its reason. */
export class PermanentJobError extends Error {
  override readonly name = 'PermanentJobError';
}

/** Thrown by a handler: try again, no sooner than after `afterMs`. Counts as an attempt like any other error. */
export class RetryJobError extends Error {
  override readonly name = 'RetryJobError';
  readonly afterMs: number;
  constructor(message: string, options: { readonly afterMs: number; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.afterMs = options.afterMs;
  }
}

/**
 * Thrown by a handler that could not begin: run again, no sooner than after `afterMs`. Costs no attempt, so whoever throws
 * it says by itself when it is too late.
 */
export class PostponeJobError extends Error {
  override readonly name = 'PostponeJobError';
  readonly afterMs: number;
  constructor(message: string, options: { readonly afterMs: number }) {
    super(message);
    this.afterMs = options.afterMs;
  }
}
