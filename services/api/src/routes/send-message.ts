import { type SendParts, send } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../http/caller.js';
import { jsonBody } from '../http/json-body.js';

/** `POST /sendMessage` */
export function sendMessageRoute(parts: SendParts): RequestHandler {
  return async (request, response) => {
    response.json(await send(parts, callerOf(request), jsonBody(request)));
  };
}
