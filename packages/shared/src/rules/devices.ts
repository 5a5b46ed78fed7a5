import type { Device, DeviceRegistrations } from '../store/index.js';
import { isName } from './names.js';
import { wholeNumberOf } from './numbers.js';
import { field } from './parse-send.js';
import { RuleError } from './rule-error.js';

export interface RegisterDeviceAnswer {
  readonly status: 'success';
  readonly message: string;
  /** The registration's id, not the client's own `deviceId`. */
  readonly deviceId: number;
}

export interface DevicesAnswer {
  readonly status: 'success';
  /** As they were asked for, or the defaults. */
  readonly limit: number;
  readonly offset: number;
  readonly devices: ListedDevice[];
}

/**
 * A registration as its owner reads it; times are ISO 8601 in UTC. Clients refuse a whole list for one value that they
 * would not have sent themselves, and such values there are: of other clients, and of the reference server.
 */
export interface ListedDevice {
  readonly id: number;
  /** Null when it is unknown, or none that clients read. */
  readonly deviceId: string | null;
  /** Likewise. */
  readonly platform: string | null;
  /** Its end only: the token is what lets others push. */
  readonly fcmToken: string;
  readonly active: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When it was registered or pushed to; `updatedAt` where that was never noted. */
  readonly lastUsed: string;
}

/** Tokens are printable ASCII of some hundred characters. */
const TOKEN = /^[\x21-\x7e]{1,2000}$/;
const NOT_IN_A_TOKEN = /[^\x21-\x7e]/gu;
const PLATFORMS: readonly unknown[] = ['ios', 'android', 'web'];
const SHOWN_OF_TOKEN = 10;
/** What clients read of a device's own name: so many bytes of UTF-8, and no control characters. */
const MAX_LISTED_ID_BYTES = 255;
const CONTROL_CHARACTER = /\p{Cc}/u;
const MAX_LIMIT = 100;
const MAX_OFFSET = 100_000;

/**
 * Registers the caller's device for pushes. The same token again brings its registration up to date; registered by
 * another identity, it is that one's from then on.
 *
 * @param request `{fcmToken, deviceId?, platform?}`, unchecked
 * @throws {RuleError}, {StoreUnavailableError}
 */
export async function registerDevice(
  parts: { readonly devices: DeviceRegistrations },
  caller: string,
  request: unknown,
): Promise<RegisterDeviceAnswer> {
  const given = field(request, 'fcmToken');
  const fcmToken = typeof given === 'string' ? given.trim() : '';
  if (!TOKEN.test(fcmToken)) {
    throw new RuleError('ERR_INVALID_FCM_TOKEN', 'fcmToken must be a text of 1 to 2,000 ASCII characters, no spaces.');
  }
  const deviceId = field(request, 'deviceId') ?? undefined;
  if (deviceId !== undefined && deviceId !== '' && !isName(deviceId)) {
    throw new RuleError('ERR_INVALID_DEVICE_ID', 'deviceId must be a text of up to 255 characters.');
  }
  const platform = field(request, 'platform') ?? undefined;
  if (platform !== undefined && !PLATFORMS.includes(platform)) {
    throw new RuleError('ERR_INVALID_PLATFORM', 'platform must be one of ios, android, web.');
  }
  const id = await parts.devices.register({
    identityKey: caller,
    fcmToken,
    deviceId: deviceId === undefined || deviceId === '' ? undefined : String(deviceId).trim(),
    platform: platform === undefined ? undefined : String(platform),
  });
  return { status: 'success', message: 'Device registered successfully for push notifications', deviceId: id };
}

/**
 * A page of the caller's devices: active ones first, then by last use.
 *
 * @param request `{limit?, offset?}`, unchecked, as decimal text: 1 to 100 (default 100), and 0 to 100,000 (default 0)
 * @throws {RuleError}, {StoreUnavailableError}
 */
export async function listDevices(
  parts: { readonly devices: DeviceRegistrations },
  caller: string,
  request: unknown,
): Promise<DevicesAnswer> {
  const limit = wholeNumberOf(field(request, 'limit') ?? String(MAX_LIMIT), 1, MAX_LIMIT);
  if (limit === undefined) {
    throw new RuleError('ERR_INVALID_LIMIT', `limit must be a whole number from 1 to ${MAX_LIMIT}.`);
  }
  const offset = wholeNumberOf(field(request, 'offset') ?? '0', 0, MAX_OFFSET);
  if (offset === undefined) {
    throw new RuleError('ERR_INVALID_OFFSET', `offset must be a whole number from 0 to ${MAX_OFFSET}.`);
  }
  const devices = await parts.devices.list(caller, { limit, offset });
  return { status: 'success', limit, offset, devices: devices.map(listed) };
}

function listed(device: Device): ListedDevice {
  return {
    id: device.id,
    deviceId: isReadable(device.deviceId) ? device.deviceId : null,
    platform: PLATFORMS.includes(device.platform) ? (device.platform ?? null) : null,
    fcmToken: `...${device.fcmToken.slice(-SHOWN_OF_TOKEN).replace(NOT_IN_A_TOKEN, '?')}`,
    active: device.active,
    createdAt: device.createdAt.toISOString(),
    updatedAt: device.updatedAt.toISOString(),
    lastUsed: (device.lastUsed ?? device.updatedAt).toISOString(),
  };
}

function isReadable(deviceId: string | undefined): deviceId is string {
  if (deviceId === undefined || deviceId === '' || deviceId.trim() !== deviceId) return false;
  return Buffer.byteLength(deviceId) <= MAX_LISTED_ID_BYTES && !CONTROL_CHARACTER.test(deviceId);
}
