import { type DevicesOptions, listDevices, registerDevice, unregisterDevice } from '@messagebox/messages';
import type { DeviceRegistrations } from '@messagebox/store';
import type { RequestHandler } from 'express';
import { consumeJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';
import { parseQuery } from '../http/parse-query.js';

/** `POST /registerDevice` */
export function registerDeviceRoute(options: DevicesOptions): RequestHandler {
  return async (request, response) => {
    response.json(await registerDevice(options, getCallerKey(request), consumeJsonBody(request)));
  };
}

/** `POST /unregisterDevice` */
export function unregisterDeviceRoute(options: DevicesOptions): RequestHandler {
  return async (request, response) => {
    response.json(await unregisterDevice(options, getCallerKey(request), consumeJsonBody(request)));
  };
}

/** `GET /devices` */
export function listDevicesRoute(options: { readonly devices: DeviceRegistrations }): RequestHandler {
  return async (request, response) => {
    response.json(await listDevices(options, getCallerKey(request), parseQuery(request)));
  };
}
