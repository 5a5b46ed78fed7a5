import { getPermission, type PermissionParts } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../../http/caller.js';
import { queryOf } from '../../http/query.js';

/** `GET /permissions/get` */
export function getPermissionRoute(parts: PermissionParts): RequestHandler {
  return async (request, response) => {
    response.json(await getPermission(parts, callerOf(request), queryOf(request)));
  };
}
