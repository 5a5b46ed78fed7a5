import type { RequestHandler } from 'express';

/** The process has as much under way as it can hold. Answered as 503 with Retry-After. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
}

/**
 * Bounds what all requests together may hold at once: their number, and the bytes of their bodies. Bytes count when
 * they have arrived: were they counted when they are announced, a few connections that announce and never send would
 * use everything up.
 *
 * @throws {OverloadedError} to `next`
 */
export function boundInFlight(limits: { requests: number; bodyBytes: number; largestBody: number }): RequestHandler {
  let requests = 0;
  let bodyBytes = 0;
  const overloaded = () => new OverloadedError('The server has too much to do. Try again later.');
  return (request, response, next) => {
    if (requests >= limits.requests) {
      next(overloaded());
      return;
    }
    let held = 0;
    let refused = false;
    const push = request.push.bind(request);
    request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (refused) return false;
      // More than the largest body is read only to be forgotten.
      const bytes = chunk === null ? 0 : Math.min(chunk.length, limits.largestBody - held);
      if (bodyBytes + bytes > limits.bodyBytes) {
        refused = true;
        response.once('finish', () => request.destroy());
        if (!response.headersSent) response.set('Connection', 'close');
        next(overloaded());
        return false;
      }
      held += bytes;
      bodyBytes += bytes;
      return push(chunk, encoding);
    };
    requests += 1;
    response.once('close', () => {
      requests -= 1;
      bodyBytes -= held;
      held = limits.largestBody; // what still comes is not counted again
    });
    next();
  };
}
