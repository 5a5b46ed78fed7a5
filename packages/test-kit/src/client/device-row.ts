import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import { readName, readRecord, readTime } from './fields.js';
import type { RegisteredDevice } from './types.js';

const PLATFORMS = [null, 'ios', 'android', 'web'];
const DEVICE_RULE = '9.7';

/** Reads a device of a response. @throws ProtocolViolationError of rule 9.7 */
export function readDevice(value: unknown): RegisteredDevice {
  const row = readRecord(value, 'a device', DEVICE_RULE);
  const { deviceId, platform, active } = row;
  if (!PLATFORMS.includes(platform as string | null))
    throw new ProtocolViolationError(DEVICE_RULE, 'the platform of a device is unknown');
  if (typeof active !== 'boolean')
    throw new ProtocolViolationError(DEVICE_RULE, 'a device does not say whether it is active');
  return {
    id: readRowId(row['id']),
    deviceId: deviceId === null ? null : readName(deviceId, 'the deviceId of a device', 255, DEVICE_RULE),
    platform: platform as string | null,
    fcmToken: readName(row['fcmToken'], 'the masked token of a device', 64, DEVICE_RULE),
    active,
    createdAt: readTime(row['createdAt'], 'the creation time of a device', DEVICE_RULE),
    updatedAt: readTime(row['updatedAt'], 'the update time of a device', DEVICE_RULE),
    lastUsed: readTime(row['lastUsed'], 'the time of the last use of a device', DEVICE_RULE),
  };
}

/** Reads the id of a device. @throws ProtocolViolationError of rule 9.7 */
export function readRowId(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new ProtocolViolationError(DEVICE_RULE, 'the id of a device is not a positive integer');
}
