import { type AdminFeesOptions, listFees } from '@messagebox/messages';
import type { RequestHandler } from 'express';

/** `GET /admin/fees`, behind `requireAdmin` */
export function getFeesRoute(options: AdminFeesOptions): RequestHandler {
  return async (_request, response) => {
    response.json(await listFees(options));
  };
}
