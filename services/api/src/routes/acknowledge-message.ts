import { type AcknowledgeParts, acknowledge } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../http/caller.js';
import { takeJsonBody } from '../http/json-body.js';

/** `POST /acknowledgeMessage` */
export function acknowledgeMessageRoute(parts: AcknowledgeParts): RequestHandler {
  return async (request, response) => {
    response.json(await acknowledge(parts, callerOf(request), takeJsonBody(request)));
  };
}
