// Declares `request.auth`.
import type {} from '@messagebox/brc103/express';
import type { Request, RequestHandler } from 'express';
import type { FairScheduler } from '../admission/fair-scheduler.js';
import type { Source } from '../admission/source.js';
import { getRequestAddress } from './request-address.js';

/** The source that a request's work is charged to. */
export function toSource(request: Request, identityKey?: string): Source {
  const isProven = identityKey !== undefined && request.auth?.identityKey === identityKey;
  return { address: getRequestAddress(request), identityKey, isProven };
}

/** The cost of parsing a request's line and headers, which is done before Express sees it. */
const PARSING_MS = { perRequest: 0.1, perByte: 0.00001 };

/**
 * Starts each request when its source is next, so that a client with many requests does not delay others. The synchronous
 * work up to the first `await` is charged to the source.
 *
 * @throws {TooManyRequestsError} to `next`, when too many requests of this address wait, or one has waited for too long
 */
export function scheduleFairly(scheduler: FairScheduler): RequestHandler {
  return async (request, _response, next) => {
    const source = toSource(request);
    const headerBytes = request.url.length + request.rawHeaders.reduce((sum, text) => sum + text.length, 0);
    scheduler.charge(source, PARSING_MS.perRequest + headerBytes * PARSING_MS.perByte);
    try {
      await scheduler.run(source, () => next());
    } catch (error) {
      next(error);
    }
  };
}
