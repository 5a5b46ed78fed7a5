import { type Lease, SharedPool, TooManyRequestsError } from '@messagebox/shared';
import type { Request, RequestHandler, Response } from 'express';
import { addressOf } from './address-of.js';

export interface InFlightLimits {
  /** Requests under way in this process. */
  readonly requests: number;
  /** Bytes of their bodies that have arrived. */
  readonly bodyBytes: number;
  /** The largest body that is read; what comes beyond it is dropped. */
  readonly largestBody: number;
}

/**
 * Bounds what all requests together may hold at once, and shares it among addresses: their number, and the bytes of their
 * bodies. Nobody is refused while there is room. When there is none, an address within its fair share gets it from the one
 * that holds most: its oldest request whose body has not arrived yet is ended. Bytes count when they have arrived: were they
 * counted when they are announced, a few connections that announce and never send would use everything up.
 *
 * @param onHit told `requests` or `body_bytes`, which of the two there was no room of. Must not throw
 * @throws {TooManyRequestsError} to `next`
 */
export function boundInFlight(limits: InFlightLimits, onHit: (limit: string) => void = () => {}): RequestHandler {
  const requests = new SharedPool({ total: limits.requests });
  const bodies = new SharedPool({ total: limits.bodyBytes });
  return (request, response, next) => {
    const address = addressOf(request);
    let ended = false;
    const refuse = (limit: string) => {
      if (ended) return;
      ended = true;
      onHit(limit);
      place?.release();
      body?.release();
      if (hasBody(request) && !request.complete) closeAfterwards(request, response);
      next(new TooManyRequestsError(1));
    };
    const body: Lease | undefined = bodies.tryAcquire(address, 0, () => refuse('body_bytes'));
    const place: Lease | undefined = requests.tryAcquire(address, 1, () => refuse('requests'));
    if (place === undefined || body === undefined) {
      refuse('requests');
      return;
    }
    let held = 0;
    const push = request.push.bind(request);
    request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (ended) return false;
      if (chunk === null) {
        // It is worked on from now on, and that will end by itself.
        place.keep();
        body.keep();
        return push(chunk, encoding);
      }
      // More than the largest body is read only to be forgotten.
      const bytes = Math.min(chunk.length, limits.largestBody - held);
      if (bytes > 0 && !body.grow(bytes)) {
        refuse('body_bytes');
        return false;
      }
      held += bytes;
      return push(chunk, encoding);
    };
    response.once('close', () => {
      place.release();
      body.release();
      held = limits.largestBody; // what still comes is not counted again
    });
    next();
  };
}

/** RFC 9112, section 6.3: a request has a body only when it says so. */
function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function closeAfterwards(request: Request, response: Response): void {
  response.once('finish', () => request.destroy());
  if (!response.headersSent) response.set('Connection', 'close');
}
