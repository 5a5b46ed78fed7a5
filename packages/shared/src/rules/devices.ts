import type { Device, DeviceRegistrations } from '../store/index.js';
import { isName } from './names.js';
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
  readonly devices: ListedDevice[];
}

/** A registration as its owner reads it; times are ISO 8601 in UTC. */
export interface ListedDevice {
  readonly id: number;
  readonly deviceId: string | null;
  readonly platform: string | null;
  /** Its end only: the token is what lets others push. */
  readonly fcmToken: string;
  readonly active: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastUsed: string | null;
}

/** Tokens are printable ASCII of some hundred characters. */
const TOKEN = /^[\x21-\x7e]{1,2000}$/;
const PLATFORMS: readonly unknown[] = ['ios', 'android', 'web'];
const SHOWN_OF_TOKEN = 10;

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
 * The caller's devices.
 *
 * @throws {StoreUnavailableError}
 */
export async function listDevices(
  parts: { readonly devices: DeviceRegistrations },
  caller: string,
): Promise<DevicesAnswer> {
  return { status: 'success', devices: (await parts.devices.list(caller)).map(listed) };
}

function listed(device: Device): ListedDevice {
  return {
    id: device.id,
    deviceId: device.deviceId ?? null,
    platform: device.platform ?? null,
    fcmToken: `...${device.fcmToken.slice(-SHOWN_OF_TOKEN)}`,
    active: device.active,
    createdAt: device.createdAt.toISOString(),
    updatedAt: device.updatedAt.toISOString(),
    lastUsed: device.lastUsed?.toISOString() ?? null,
  };
}
