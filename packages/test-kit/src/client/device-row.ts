import { ProtocolViolation } from '../rules/protocol-violation.js';
import { readName, readRecord, readTime } from './fields.js';
import type { RegisteredDevice } from './types.js';

const PLATFORMS = [null, 'ios', 'android', 'web'];
const RULE = '9.7';

/** A device of an answer. @throws ProtocolViolation of rule 9.7 */
export function readDevice(value: unknown): RegisteredDevice {
  const row = readRecord(value, 'a device', RULE);
  const { deviceId, platform, active } = row;
  if (!PLATFORMS.includes(platform as string | null))
    throw new ProtocolViolation(RULE, 'the platform of a device is unknown');
  if (typeof active !== 'boolean') throw new ProtocolViolation(RULE, 'a device does not say whether it is active');
  return {
    id: readRowId(row['id']),
    deviceId: deviceId === null ? null : readName(deviceId, 'the deviceId of a device', 255, RULE),
    platform: platform as string | null,
    fcmToken: readName(row['fcmToken'], 'the masked token of a device', 64, RULE),
    active,
    createdAt: readTime(row['createdAt'], 'the creation time of a device', RULE),
    updatedAt: readTime(row['updatedAt'], 'the update time of a device', RULE),
    lastUsed: readTime(row['lastUsed'], 'the time of the last use of a device', RULE),
  };
}

/** The id of a device's row. @throws ProtocolViolation of rule 9.7 */
export function readRowId(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new ProtocolViolation(RULE, 'the id of a device is no positive integer');
}
