import { type GetQuoteOptions, getQuote } from '@messagebox/messages';
import type { RequestHandler } from 'express';
import { getCallerKey } from '../../http/get-caller-key.js';
import { parseQuery } from '../../http/parse-query.js';

/** `GET /permissions/quote` */
export function quoteRoute(options: GetQuoteOptions): RequestHandler {
  return async (request, response) => {
    response.json(await getQuote(options, getCallerKey(request), parseQuery(request)));
  };
}
