import { acknowledge, type MessageStore } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../http/caller.js';
import { jsonBody } from '../http/json-body.js';

/** `POST /acknowledgeMessage` */
export function acknowledgeMessageRoute(parts: { readonly store: MessageStore }): RequestHandler {
  return async (request, response) => {
    response.json(await acknowledge(parts, callerOf(request), jsonBody(request)));
  };
}
