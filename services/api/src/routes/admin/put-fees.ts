import { type AdminFeeParts, setFee } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { takeJsonBody } from '../../http/json-body.js';

/** `PUT /admin/fees`, behind `adminOnly` */
export function putFeesRoute(parts: AdminFeeParts): RequestHandler {
  return async (request, response) => {
    response.json(await setFee(parts, takeJsonBody(request)));
  };
}
