import { listPermissions, type PermissionsOptions } from '@messagebox/messages';
import type { RequestHandler } from 'express';
import { getCallerKey } from '../../http/get-caller-key.js';
import { parseQuery } from '../../http/parse-query.js';

/** `GET /permissions/list` */
export function listPermissionsRoute(options: PermissionsOptions): RequestHandler {
  return async (request, response) => {
    response.json(await listPermissions(options, getCallerKey(request), parseQuery(request)));
  };
}
