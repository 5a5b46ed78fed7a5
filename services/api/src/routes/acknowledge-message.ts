import { type AcknowledgeMessagesOptions, acknowledgeMessages } from '@messagebox/messages';
import type { RequestHandler } from 'express';
import { consumeJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';

/** `POST /acknowledgeMessage` */
export function acknowledgeMessageRoute(options: AcknowledgeMessagesOptions): RequestHandler {
  return async (request, response) => {
    response.json(await acknowledgeMessages(options, getCallerKey(request), consumeJsonBody(request)));
  };
}
