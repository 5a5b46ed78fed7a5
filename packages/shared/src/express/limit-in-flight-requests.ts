import type { Request, RequestHandler, Response } from 'express';
import { type Lease, SharedPool } from '../admission/shared-pool.js';
import { hasBody } from '../http/has-body.js';
import { TooManyRequestsError } from '../limits/rate-limit.js';
import { getRequestAddress } from './request-address.js';

export interface InFlightLimits {
  /** Requests in progress in this process. */
  readonly requests: number;
  /** Bytes of their bodies that have been received. */
  readonly bodyBytes: number;
  /** Bytes of one body beyond this are not counted, because the body reader drops them. */
  readonly maxBodyBytes: number;
}

/**
 * Limits the number of requests in progress and the bytes of their bodies, and shares both among addresses. No request is
 * refused while there is room. When there is none, an address within its fair share gets room from the address that holds
 * most: the oldest request of that address whose body is incomplete is refused. Bytes count when they are received. If they
 * counted when they are announced, a few connections that announce and never send would use up the limit.
 *
 * @param onHit is called with the limit that was hit: `requests` or `body_bytes`. Must not throw
 * @throws {TooManyRequestsError} to `next`
 */
export function limitInFlightRequests(
  limits: InFlightLimits,
  onHit: (limit: string) => void = () => {},
): RequestHandler {
  const requests = new SharedPool({ total: limits.requests });
  const bodies = new SharedPool({ total: limits.bodyBytes });
  return (request, response, next) => {
    const address = getRequestAddress(request);
    let ended = false;
    const refuse = (limit: string) => {
      if (ended) return;
      ended = true;
      onHit(limit);
      slot?.release();
      body?.release();
      if (hasBody(request) && !request.complete) closeAfterwards(request, response);
      next(new TooManyRequestsError(1));
    };
    const body: Lease | undefined = bodies.tryAcquire(address, 0, () => refuse('body_bytes'));
    const slot: Lease | undefined = requests.tryAcquire(address, 1, () => refuse('requests'));
    if (slot === undefined || body === undefined) {
      refuse('requests');
      return;
    }
    let countedBytes = 0;
    const makePermanent = () => {
      slot.makePermanent();
      body.makePermanent();
    };
    const count = (arrived: number) => {
      const bytes = Math.min(arrived, limits.maxBodyBytes - countedBytes);
      if (bytes > 0 && !body.grow(bytes)) {
        refuse('body_bytes');
        return false;
      }
      countedBytes += bytes;
      return true;
    };
    // Bytes of the body may have arrived before this request had its turn.
    if (!count(request.readableLength)) return;
    if (request.complete) makePermanent();
    const push = request.push.bind(request);
    request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (ended) return false;
      if (chunk === null) {
        // The body is complete, so the request will finish by itself and must not be evicted any more.
        makePermanent();
        return push(chunk, encoding);
      }
      return count(chunk.length) && push(chunk, encoding);
    };
    response.once('close', () => {
      slot.release();
      body.release();
      countedBytes = limits.maxBodyBytes; // later chunks are not counted
    });
    next();
  };
}

function closeAfterwards(request: Request, response: Response): void {
  response.once('finish', () => request.destroy());
  if (!response.headersSent) response.set('Connection', 'close');
}
