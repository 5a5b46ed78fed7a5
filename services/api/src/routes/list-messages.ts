import { type ListParts, list } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../http/caller.js';
import { jsonBody } from '../http/json-body.js';

/** `POST /listMessages` */
export function listMessagesRoute(parts: ListParts): RequestHandler {
  return async (request, response) => {
    response.json(await list(parts, callerOf(request), jsonBody(request)));
  };
}
