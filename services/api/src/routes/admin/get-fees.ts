import { type AdminFeeParts, listFees } from '@messagebox/shared';
import type { RequestHandler } from 'express';

/** `GET /admin/fees`, behind `adminOnly` */
export function getFeesRoute(parts: AdminFeeParts): RequestHandler {
  return async (_request, response) => {
    response.json(await listFees(parts));
  };
}
