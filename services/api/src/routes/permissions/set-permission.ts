import { type PermissionsOptions, setPermission } from '@messagebox/messages';
import type { RequestHandler } from 'express';
import { consumeJsonBody } from '../../http/consume-json-body.js';
import { getCallerKey } from '../../http/get-caller-key.js';

/** `POST /permissions/set` */
export function setPermissionRoute(options: PermissionsOptions): RequestHandler {
  return async (request, response) => {
    response.json(await setPermission(options, getCallerKey(request), consumeJsonBody(request)));
  };
}
