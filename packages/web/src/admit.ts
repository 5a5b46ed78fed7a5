import type { Request, RequestHandler } from 'express';

/** Goes on when `check` resolves; what it throws is answered, such as a rate limit's refusal. */
export function admit(check: (request: Request) => Promise<void>): RequestHandler {
  return async (request, _response, next) => {
    await check(request);
    next();
  };
}
