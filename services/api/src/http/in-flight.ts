import type { RequestHandler } from 'express';

/** The process has as much under way as it can hold. Answered as 503 with Retry-After. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
}

/**
 * Bounds what all requests together may hold at once: their number, and the bytes of their bodies. A body of unknown
 * length counts as the largest that is allowed.
 *
 * @throws {OverloadedError} to `next`
 */
export function boundInFlight(limits: { requests: number; bodyBytes: number; largestBody: number }): RequestHandler {
  let requests = 0;
  let bodyBytes = 0;
  return (request, response, next) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    const unknown = request.headers['transfer-encoding'] !== undefined || !Number.isFinite(declared);
    const bytes = unknown ? limits.largestBody : Math.min(declared, limits.largestBody);
    if (requests >= limits.requests || bodyBytes + bytes > limits.bodyBytes) {
      next(new OverloadedError('The server has too much to do. Try again later.'));
      return;
    }
    requests += 1;
    bodyBytes += bytes;
    response.once('close', () => {
      requests -= 1;
      bodyBytes -= bytes;
    });
    next();
  };
}
