import { type DeviceRegistrations, listDevices, registerDevice } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from '../http/caller.js';
import { takeJsonBody } from '../http/json-body.js';
import { queryOf } from '../http/query.js';

/** `POST /registerDevice` */
export function registerDeviceRoute(parts: { readonly devices: DeviceRegistrations }): RequestHandler {
  return async (request, response) => {
    response.json(await registerDevice(parts, callerOf(request), takeJsonBody(request)));
  };
}

/** `GET /devices` */
export function devicesRoute(parts: { readonly devices: DeviceRegistrations }): RequestHandler {
  return async (request, response) => {
    response.json(await listDevices(parts, callerOf(request), queryOf(request)));
  };
}
