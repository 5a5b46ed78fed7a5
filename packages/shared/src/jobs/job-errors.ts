/** The broker cannot be reached or refuses, or the queue is full. It is unknown whether the job was stored; retry with the same id. */
export class JobsUnavailableError extends Error {
  override readonly name = 'JobsUnavailableError';
  constructor(cause: unknown) {
    super('The job queue is not available.', { cause });
  }
}

/** Thrown by a handler when a retry would not help. The job fails at once, with this message as its reason. */
export class PermanentJobError extends Error {
  override readonly name = 'PermanentJobError';
}

/** Thrown by a handler to be retried no sooner than after `afterMs`. It counts as an attempt, like any other error. */
export class RetryJobError extends Error {
  override readonly name = 'RetryJobError';
  readonly afterMs: number;
  constructor(message: string, options: { readonly afterMs: number; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.afterMs = options.afterMs;
  }
}

/**
 * Thrown by a handler that could not begin, to be run again no sooner than after `afterMs`. It does not count as an attempt,
 * so the handler itself must decide when to give up.
 */
export class PostponeJobError extends Error {
  override readonly name = 'PostponeJobError';
  readonly afterMs: number;
  constructor(message: string, options: { readonly afterMs: number }) {
    super(message);
    this.afterMs = options.afterMs;
  }
}
