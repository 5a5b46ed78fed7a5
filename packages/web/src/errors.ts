import { AuthError } from '@messagebox/brc103';
import {
  JobsUnavailableError,
  type Logger,
  limitedLines,
  limitOfCode,
  pathForLog,
  RuleError,
  StoreUnavailableError,
  TooManyRequestsError,
} from '@messagebox/shared';
import type { ErrorRequestHandler, RequestHandler } from 'express';

/** The process has as much under way as it can hold. Answered as 503 with Retry-After. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
  /** @param limit that was hit, as the metric names it */
  constructor(
    message: string,
    readonly limit: string,
  ) {
    super(message);
  }
}

/** Something that this server depends on does not answer. Answered as 503 with Retry-After. */
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

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly description: string;
  readonly retryAfterSeconds?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Turns whatever was thrown into one JSON answer, and one line in the log. Nothing of our own errors leaves.
 *
 * @param onHit told the name of the limit that a refusal is about. Must not throw
 */
export function answerErrors(log: Logger, onHit: (limit: string) => void = () => {}): ErrorRequestHandler {
  const lines = limitedLines(log);
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const refusal = refusalOf(error);
    const { code, description, details, status } = refusal;
    const limit = error instanceof OverloadedError || error instanceof RuleError ? error.limit : limitOfCode(code);
    if (limit !== undefined) onHit(limit);
    const about = { status, code, limit, path: pathForLog(request.path), requestId: request.id };
    if (status >= 500) lines.write('error', { err: error, ...about }, 'request failed');
    else lines.write('info', about, 'request refused');
    if (refusal.retryAfterSeconds !== undefined) response.set('Retry-After', String(refusal.retryAfterSeconds));
    response.status(status).json(
      // The published middleware answers a request without auth headers with `message`; clients look for that.
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

/** The answer to a path that isn't there. */
export const answerNotFound: RequestHandler = (_request, _response, next) => {
  next(new NotFoundError('There is no such route.'));
};

function refusalOf(error: unknown): Refusal {
  if (error instanceof RuleError) {
    const { status, code, description, details } = error;
    const retryAfterSeconds = error.retryAfterSeconds ?? (status === 503 ? 1 : undefined);
    return { status, code, description, details, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  }
  if (error instanceof AuthError) return { status: error.status, code: error.code, description: error.message };
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
    const description = 'Jobs can not be taken or looked up now. Try again later.';
    return { status: 503, code: 'ERR_JOBS_UNAVAILABLE', description, retryAfterSeconds: 1 };
  }
  if (error instanceof NotFoundError) return { status: 404, code: 'ERR_NOT_FOUND', description: error.message };
  if (error instanceof OverloadedError) {
    return { status: 503, code: 'ERR_OVERLOADED', description: error.message, retryAfterSeconds: 1 };
  }
  const status = clientStatusOf(error);
  if (status !== undefined) return { status, code: 'ERR_BAD_REQUEST', description: 'The request could not be read.' };
  return { status: 500, code: 'ERR_INTERNAL', description: 'Something went wrong here.' };
}

/** Express and body readers mark what is the client's fault with a 4xx status, such as a path that can't be decoded. */
function clientStatusOf(error: unknown): number | undefined {
  const status: unknown = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
