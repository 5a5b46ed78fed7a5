import type { FairScheduler, Source } from '@messagebox/shared';
import type { Request, RequestHandler } from 'express';
import { addressOf } from './address-of.js';

/** Whom a request's work is accounted to. */
export function sourceOf(request: Request, identityKey?: string): Source {
  return { address: addressOf(request), identityKey };
}

/** What parsing a request's line and headers has cost by the time that Express sees it: for each request, and each byte. */
const PARSING_MS = { perRequest: 0.1, perByte: 0.00001 };

/**
 * Lets each request begin when it is its source's turn, so that a client that sends many does not keep others waiting. What
 * the work until the request's first wait takes is charged to its source.
 *
 * @throws {TooManyRequestsError} to `next`, when too many of this address wait, or for too long
 */
export function scheduleFairly(scheduler: FairScheduler): RequestHandler {
  return async (request, _response, next) => {
    const source = sourceOf(request);
    const headerBytes = request.url.length + request.rawHeaders.reduce((sum, text) => sum + text.length, 0);
    scheduler.charge(source, PARSING_MS.perRequest + headerBytes * PARSING_MS.perByte);
    try {
      await scheduler.run(source, () => next());
    } catch (error) {
      next(error);
    }
  };
}
