import type { Request, RequestHandler } from 'express';

/** Passes a request on when `check` resolves. An error of `check`, such as a rate limit's refusal, becomes the response. */
export function admitRequests(check: (request: Request) => Promise<void>): RequestHandler {
  return async (request, _response, next) => {
    await check(request);
    next();
  };
}
