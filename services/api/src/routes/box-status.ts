import { type BoxStatusOptions, getBoxStatus } from '@messagebox/messages';
import type { RequestHandler } from 'express';
import { consumeOptionalJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';
import type { ResponseMemory } from '../http/response-memory.js';
import { sendHeldJson } from '../http/send-held-json.js';

export interface BoxStatusRouteOptions extends BoxStatusOptions {
  readonly responseMemory: ResponseMemory;
}

/** `POST /boxStatus`. The response counts against the caller's memory until the client has received it. */
export function boxStatusRoute({ responseMemory, ...options }: BoxStatusRouteOptions): RequestHandler {
  return async (request, response) => {
    const caller = getCallerKey(request);
    const reservation = responseMemory.open(caller, response);
    sendHeldJson(response, reservation, await getBoxStatus(options, caller, consumeOptionalJsonBody(request)));
  };
}
