import { listPermissions, type PermissionParts } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../../http/caller.js';
import { queryOf } from '../../http/query.js';

/** `GET /permissions/list` */
export function listPermissionsRoute(parts: PermissionParts): RequestHandler {
  return async (request, response) => {
    response.json(await listPermissions(parts, callerOf(request), queryOf(request)));
  };
}
