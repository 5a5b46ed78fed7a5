import { type PermissionParts, setPermission } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../../http/caller.js';
import { takeJsonBody } from '../../http/json-body.js';

/** `POST /permissions/set` */
export function setPermissionRoute(parts: PermissionParts): RequestHandler {
  return async (request, response) => {
    response.json(await setPermission(parts, callerOf(request), takeJsonBody(request)));
  };
}
