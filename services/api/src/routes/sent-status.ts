import { getSentStatus, type SentStatusOptions } from '@messagebox/messages';
import type { RequestHandler } from 'express';
import { consumeJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';
import type { ResponseMemory } from '../http/response-memory.js';
import { sendHeldJson } from '../http/send-held-json.js';

export interface SentStatusRouteOptions extends SentStatusOptions {
  readonly responseMemory: ResponseMemory;
}

/** `POST /sentStatus`. The response counts against the caller's memory until the client has received it. */
export function sentStatusRoute({ responseMemory, ...options }: SentStatusRouteOptions): RequestHandler {
  return async (request, response) => {
    const caller = getCallerKey(request);
    const reservation = responseMemory.open(caller, response);
    sendHeldJson(response, reservation, await getSentStatus(options, caller, consumeJsonBody(request)));
  };
}
