import { type Device, type DeviceRegistrations, type NewDevice, TooManyIdentitiesError } from '@messagebox/store';
import { invalidLimitError } from './invalid-limit-error.js';
import { isName } from './names.js';
import { getField, isGiven } from './request-fields.js';
import { RuleError } from './rule-error.js';
import { type NormaliseEndpoint, parseEndpoint, parseSubscription } from './web-push/subscription.js';
import { parseWholeNumber } from './whole-numbers.js';

/** The options of {@link registerDevice} and {@link unregisterDevice}. */
export interface DevicesOptions {
  readonly devices: DeviceRegistrations;
  /** Decides which hosts pushes to browsers may be sent to. */
  readonly normaliseEndpoint: NormaliseEndpoint;
}

/** The response to `POST /registerDevice`. */
export interface RegisterDeviceResponse {
  readonly status: 'success';
  readonly message: string;
  /** The id of the registration, not the client's own `deviceId`. */
  readonly deviceId: number;
}

/** The response to `POST /unregisterDevice`. */
export interface UnregisterDeviceResponse {
  readonly status: 'success';
  readonly message: string;
}

/** The response to `GET /devices`. */
export interface ListDevicesResponse {
  readonly status: 'success';
  /** The limit and the offset of the request, or the defaults. */
  readonly limit: number;
  readonly offset: number;
  readonly devices: ListedDevice[];
}

/**
 * A registration as its owner reads it. Times are ISO 8601 in UTC. Clients refuse a whole list because of one value that they
 * would not send themselves; such values come from other clients and from the reference server.
 */
export interface ListedDevice {
  readonly id: number;
  /** Null when it is unknown, or when clients don't accept it. */
  readonly deviceId: string | null;
  /** Null when it is unknown, or when clients don't accept it. */
  readonly platform: string | null;
  /** Only the end of the token or of the endpoint, because anybody who has all of it can push. */
  readonly fcmToken: string;
  readonly active: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** The time of the last registration or push; `updatedAt` when it is unknown. */
  readonly lastUsed: string;
}

/** Tokens are printable ASCII, usually of a few hundred characters. */
const TOKEN_PATTERN = /^[\x21-\x7e]{1,2000}$/;
const NON_TOKEN_CHARACTERS = /[^\x21-\x7e]/gu;
const PLATFORMS: readonly unknown[] = ['ios', 'android', 'web'];
const SHOWN_TOKEN_CHARACTERS = 10;
/** Most UTF-8 bytes of a device's own id that clients accept. They accept no control characters. */
const MAX_LISTED_ID_BYTES = 255;
const CONTROL_CHARACTER_PATTERN = /\p{Cc}/u;
const MAX_LIMIT = 100;
const MAX_OFFSET = 100_000;

/**
 * Registers the caller's device for pushes. When the caller has registered the token before, this updates its registration.
 * Other identities keep theirs, such as the other profiles of a phone.
 *
 * @param request `{fcmToken, deviceId?, platform?}`, or for a browser (Web Push) `{platform: 'web', subscription: {endpoint,
 *   keys: {p256dh, auth}}, deviceId?}`, unchecked
 * @throws {RuleError}, {StoreUnavailableError}
 */
export async function registerDevice(
  options: DevicesOptions,
  caller: string,
  request: unknown,
): Promise<RegisterDeviceResponse> {
  const { fcmToken, webPushKeys } = parseAddress(request, options.normaliseEndpoint);
  const deviceId = getField(request, 'deviceId') ?? undefined;
  if (deviceId !== undefined && deviceId !== '' && !isName(deviceId)) {
    throw new RuleError('ERR_INVALID_DEVICE_ID', 'deviceId must be a text of up to 255 characters.');
  }
  const platform = getField(request, 'platform') ?? undefined;
  if (platform !== undefined && !PLATFORMS.includes(platform)) {
    throw new RuleError('ERR_INVALID_PLATFORM', 'platform must be one of ios, android, web.');
  }
  if (webPushKeys !== undefined && platform !== 'web') {
    throw new RuleError('ERR_INVALID_PLATFORM', 'platform must be web with a subscription.');
  }
  try {
    const id = await options.devices.register({
      identityKey: caller,
      fcmToken,
      webPushKeys,
      deviceId: deviceId === undefined || deviceId === '' ? undefined : String(deviceId).trim(),
      platform: platform === undefined ? undefined : String(platform),
    });
    return { status: 'success', message: 'Device registered successfully for push notifications', deviceId: id };
  } catch (error) {
    if (!(error instanceof TooManyIdentitiesError)) throw error;
    const description = `${error.limit} identities have registered this token. Unregister one of them, or get a new token.`;
    throw new RuleError('ERR_TOO_MANY_IDENTITIES', description, 429);
  }
}

/**
 * Ends the caller's registration of a device, so that nothing more is pushed to it for the caller. Also succeeds when the
 * token is unknown or only others have registered it: the answer does not tell which.
 *
 * @param request `{fcmToken}`, or for a browser `{subscription: {endpoint}}` or `{endpoint}`, unchecked
 * @throws {RuleError}, {StoreUnavailableError}
 */
export async function unregisterDevice(
  options: DevicesOptions,
  caller: string,
  request: unknown,
): Promise<UnregisterDeviceResponse> {
  await options.devices.unregister(caller, parseTokenOrEndpoint(request, options.normaliseEndpoint));
  return { status: 'success', message: 'Device unregistered from push notifications' };
}

/**
 * Lists a page of the caller's devices: active ones first, then by last use.
 *
 * @param request `{limit?, offset?}`, unchecked, as decimal text: 1 to 100 (default 100), and 0 to 100,000 (default 0)
 * @throws {RuleError}, {StoreUnavailableError}
 */
export async function listDevices(
  options: { readonly devices: DeviceRegistrations },
  caller: string,
  request: unknown,
): Promise<ListDevicesResponse> {
  const limit = parseWholeNumber(getField(request, 'limit') ?? String(MAX_LIMIT), 1, MAX_LIMIT);
  if (limit === undefined) throw invalidLimitError(MAX_LIMIT);
  const offset = parseWholeNumber(getField(request, 'offset') ?? '0', 0, MAX_OFFSET);
  if (offset === undefined) {
    throw new RuleError('ERR_INVALID_OFFSET', `offset must be a whole number from 0 to ${MAX_OFFSET}.`);
  }
  const devices = await options.devices.list(caller, { limit, offset });
  return { status: 'success', limit, offset, devices: devices.map(toListedDevice) };
}

/** Where a device is pushed to. @throws {RuleError} `ERR_INVALID_FCM_TOKEN`, `ERR_INVALID_SUBSCRIPTION` */
function parseAddress(
  request: unknown,
  normaliseEndpoint: NormaliseEndpoint,
): Pick<NewDevice, 'fcmToken' | 'webPushKeys'> {
  const subscription = getField(request, 'subscription');
  if (!isGiven(subscription)) return { fcmToken: parseToken(request), webPushKeys: undefined };
  refuseBoth(request);
  const { endpoint, keys } = parseSubscription(subscription, normaliseEndpoint);
  return { fcmToken: endpoint, webPushKeys: keys };
}

/** What a device is registered under. @throws {RuleError} `ERR_INVALID_FCM_TOKEN`, `ERR_INVALID_SUBSCRIPTION` */
function parseTokenOrEndpoint(request: unknown, normaliseEndpoint: NormaliseEndpoint): string {
  const subscription = getField(request, 'subscription');
  const endpoint = isGiven(subscription) ? getField(subscription, 'endpoint') : getField(request, 'endpoint');
  if (!isGiven(subscription) && !isGiven(endpoint)) return parseToken(request);
  refuseBoth(request);
  return parseEndpoint(endpoint, normaliseEndpoint);
}

/** @throws {RuleError} `ERR_INVALID_SUBSCRIPTION` when there is a token beside the subscription */
function refuseBoth(request: unknown): void {
  if (!isGiven(getField(request, 'fcmToken'))) return;
  throw new RuleError('ERR_INVALID_SUBSCRIPTION', 'A device has an fcmToken or a subscription, and not both.');
}

/** @throws {RuleError} `ERR_INVALID_FCM_TOKEN` */
function parseToken(request: unknown): string {
  const given = getField(request, 'fcmToken');
  const fcmToken = typeof given === 'string' ? given.trim() : '';
  if (TOKEN_PATTERN.test(fcmToken)) return fcmToken;
  throw new RuleError('ERR_INVALID_FCM_TOKEN', 'fcmToken must be a text of 1 to 2,000 ASCII characters, no spaces.');
}

function toListedDevice(device: Device): ListedDevice {
  return {
    id: device.id,
    deviceId: isReadableDeviceId(device.deviceId) ? device.deviceId : null,
    platform: PLATFORMS.includes(device.platform) ? (device.platform ?? null) : null,
    fcmToken: `...${device.fcmToken.slice(-SHOWN_TOKEN_CHARACTERS).replace(NON_TOKEN_CHARACTERS, '?')}`,
    active: device.active,
    createdAt: device.createdAt.toISOString(),
    updatedAt: device.updatedAt.toISOString(),
    lastUsed: (device.lastUsed ?? device.updatedAt).toISOString(),
  };
}

function isReadableDeviceId(deviceId: string | undefined): deviceId is string {
  if (deviceId === undefined || deviceId === '' || deviceId.trim() !== deviceId) return false;
  return Buffer.byteLength(deviceId) <= MAX_LISTED_ID_BYTES && !CONTROL_CHARACTER_PATTERN.test(deviceId);
}
