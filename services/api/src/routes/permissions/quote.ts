import { type QuoteParts, quote } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../../http/caller.js';
import { queryOf } from '../../http/query.js';

/** `GET /permissions/quote` */
export function quoteRoute(parts: QuoteParts): RequestHandler {
  return async (request, response) => {
    response.json(await quote(parts, callerOf(request), queryOf(request)));
  };
}
