import { type AdvertisedHosts, advertisedHostHeader, type SendAnswer, type SendParts, send } from '@messagebox/shared';
import type { Request, RequestHandler } from 'express';
import { callerOf } from '../http/caller.js';
import { takeJsonBody } from '../http/json-body.js';

export interface SendMessageRouteParts extends SendParts {
  readonly advertisedHosts: AdvertisedHosts;
}

/**
 * `POST /sendMessage`. The answer tells by `x-messagebox-advertised-host` when a recipient is advertised elsewhere; what
 * was sent is stored here all the same.
 */
export function sendMessageRoute(parts: SendMessageRouteParts): RequestHandler {
  return async (request, response) => {
    const answer = await sendBody(parts, request);
    const recipients = answer.results.map(({ recipient }) => recipient);
    const elsewhere = await parts.advertisedHosts.elsewhere(recipients, request.headers.host);
    const header = advertisedHostHeader(recipients, elsewhere);
    if (header !== undefined) {
      response.setHeader('x-messagebox-advertised-host', header);
      // Signed (BRC-104 signs x-bsv-* only), and so the one that AuthFetch shows.
      response.setHeader('x-bsv-messagebox-advertised-host', header);
    }
    response.json(answer);
  };
}

/** A function of its own, so that the parsed body is not kept by a route that waits. */
function sendBody(parts: SendParts, request: Request): Promise<SendAnswer> {
  return send(parts, callerOf(request), takeJsonBody(request));
}
