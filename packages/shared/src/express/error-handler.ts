import { AuthError, BodyTooLargeError } from '@messagebox/brc103';
import { findLimitByErrorCode, RuleError } from '@messagebox/messages';
import { StoreUnavailableError } from '@messagebox/store';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { JobsUnavailableError } from '../jobs/job-errors.js';
import { TooManyRequestsError } from '../limits/rate-limit.js';
import type { Logger } from '../logging/logger.js';
import { getRateLimitedLog, truncatePath } from '../logging/rate-limited-log.js';
// Declares `request.span`.
import type {} from './trace-requests.js';

/** The process is at a limit of its own. Answered as 503 with Retry-After. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
  /** @param limit the name of the limit in the metric */
  constructor(
    message: string,
    readonly limit: string,
  ) {
    super(message);
  }
}

/** A service that this server depends on does not answer. Answered as 503 with Retry-After. */
export class DependencyUnavailableError extends Error {
  override readonly name = 'DependencyUnavailableError';
  constructor(
    readonly code: string,
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super(message);
  }
}

interface ErrorResponse {
  readonly status: number;
  readonly code: string;
  readonly description: string;
  readonly retryAfterSeconds?: number;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Turns any thrown value into one JSON response and one log line. Details of internal errors stay in the log.
 *
 * @param onHit is called with the name of the limit when a request is refused by one. Must not throw
 */
export function createErrorHandler(log: Logger, onHit: (limit: string) => void = () => {}): ErrorRequestHandler {
  const limitedLog = getRateLimitedLog(log);
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const errorResponse = toErrorResponse(error);
    const { code, description, details, status } = errorResponse;
    const limit =
      error instanceof OverloadedError || error instanceof RuleError ? error.limit : findLimitByErrorCode(code);
    if (limit !== undefined) onHit(limit);
    const about = { status, code, limit, path: truncatePath(request.path), requestId: request.id };
    request.span?.fail(code, status >= 500);
    if (status >= 500) limitedLog.write('error', { err: error, ...about }, 'request failed');
    else limitedLog.write('info', about, 'request refused');
    if (errorResponse.retryAfterSeconds !== undefined)
      response.set('Retry-After', String(errorResponse.retryAfterSeconds));
    response.set(errorResponse.headers ?? {});
    response.status(status).json(
      // The published middleware has `message` in this response, and clients read it.
      code === 'UNAUTHORIZED'
        ? { status: 'error', code, message: description }
        : { ...details, status: 'error', code, description },
    );
  };
}

/** No route has this path and method. Answered as 404. */
class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
}

/** Answers a request that no route has handled. */
export const handleNotFound: RequestHandler = (_request, _response, next) => {
  next(new NotFoundError('No route has this path and method.'));
};

function toErrorResponse(error: unknown): ErrorResponse {
  if (error instanceof RuleError) {
    const { status, code, description, details, headers } = error;
    const retryAfterSeconds = error.retryAfterSeconds ?? (status === 503 ? 1 : undefined);
    return {
      status,
      code,
      description,
      details,
      headers,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
  }
  if (error instanceof AuthError) {
    const { status, code, message: description, details } = error;
    return { status, code, description, details };
  }
  if (error instanceof TooManyRequestsError) {
    return {
      status: 429,
      code: 'ERR_TOO_MANY_REQUESTS',
      description: error.message,
      retryAfterSeconds: error.retryAfterSeconds,
    };
  }
  if (error instanceof StoreUnavailableError) {
    const description = 'The message store is not available. Try again later.';
    return { status: 503, code: 'ERR_STORE_UNAVAILABLE', description, retryAfterSeconds: 1 };
  }
  if (error instanceof DependencyUnavailableError) {
    const { code, message, retryAfterSeconds } = error;
    return { status: 503, code, description: message, retryAfterSeconds };
  }
  if (error instanceof JobsUnavailableError) {
    const description = 'The job queue is not available. Try again later.';
    return { status: 503, code: 'ERR_JOBS_UNAVAILABLE', description, retryAfterSeconds: 1 };
  }
  if (error instanceof NotFoundError) return { status: 404, code: 'ERR_NOT_FOUND', description: error.message };
  if (error instanceof OverloadedError) {
    return { status: 503, code: 'ERR_OVERLOADED', description: error.message, retryAfterSeconds: 1 };
  }
  const tooLarge = toBodyTooLargeError(error);
  if (tooLarge !== undefined) return toErrorResponse(tooLarge);
  const status = getClientErrorStatus(error);
  if (status !== undefined) return { status, code: 'ERR_BAD_REQUEST', description: 'The request could not be read.' };
  return { status: 500, code: 'ERR_INTERNAL', description: 'An internal error occurred.' };
}

/** The 4xx status that Express and body readers give to a client's error, such as a path that can't be decoded. */
function getClientErrorStatus(error: unknown): number | undefined {
  const status: unknown = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

/** Turns the error of Express's body readers for a body above their limit into ours; undefined for any other error. */
export function toBodyTooLargeError(error: unknown): BodyTooLargeError | undefined {
  const { type, limit, length }: { type?: unknown; limit?: unknown; length?: unknown } =
    typeof error === 'object' && error !== null ? error : {};
  if (type !== 'entity.too.large' || typeof limit !== 'number') return undefined;
  return new BodyTooLargeError(limit, typeof length === 'number' ? length : undefined);
}
