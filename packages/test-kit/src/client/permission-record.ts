import { MAX_BOX_BYTES, readFee, readIdentityKey, readName, readRecord, readTime } from './fields.js';
import type { MessageBoxPermission, PermissionStatus } from './types.js';

/** Returns the status that a fee means. */
export function toPermissionStatus(fee: number): PermissionStatus {
  if (fee === -1) return 'blocked';
  return fee === 0 ? 'always_allow' : 'payment_required';
}

/** Reads a permission of a response. @throws ProtocolViolationError of rule 4, 9.5 or 9.6 */
export function readPermission(value: unknown): MessageBoxPermission {
  const record = readRecord(value, 'a permission');
  const sender = record['sender'] === null ? null : readIdentityKey(record['sender'], 'the sender of a permission');
  const name = record['messageBox'] ?? record['message_box'];
  const messageBox = readName(name, 'the box of a permission', MAX_BOX_BYTES, '9.6');
  const recipientFee = readFee(record['recipientFee'] ?? record['recipient_fee'], 'the fee of a permission', -1);
  return {
    sender,
    messageBox,
    recipientFee,
    status: toPermissionStatus(recipientFee),
    createdAt: readTime(record['createdAt'] ?? record['created_at'], 'the creation time of a permission'),
    updatedAt: readTime(record['updatedAt'] ?? record['updated_at'], 'the update time of a permission'),
  };
}
