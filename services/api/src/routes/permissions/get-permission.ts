import { getPermission, type PermissionsOptions } from '@messagebox/messages';
import type { RequestHandler } from 'express';
import { getCallerKey } from '../../http/get-caller-key.js';
import { parseQuery } from '../../http/parse-query.js';

/** `GET /permissions/get` */
export function getPermissionRoute(options: PermissionsOptions): RequestHandler {
  return async (request, response) => {
    response.json(await getPermission(options, getCallerKey(request), parseQuery(request)));
  };
}
