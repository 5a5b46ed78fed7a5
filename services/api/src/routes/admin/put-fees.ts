import { type AdminFeesOptions, setFee } from '@messagebox/messages';
import type { AuditLog } from '@messagebox/store';
import type { RequestHandler } from 'express';
import { consumeJsonBody } from '../../http/consume-json-body.js';
import { getCallerKey } from '../../http/get-caller-key.js';

/** `PUT /admin/fees`, behind `requireAdmin` */
export function putFeesRoute(options: AdminFeesOptions & { readonly audit: AuditLog }): RequestHandler {
  return async (request, response) => {
    const answer = await setFee(options, consumeJsonBody(request));
    const { messageBox, deliveryFee } = answer.fee;
    const operator = getCallerKey(request);
    await options.audit.record({ operator, action: 'set fee', subject: messageBox, details: { deliveryFee } });
    response.json(answer);
  };
}
