import { isRecord } from '../message/data-weight.js';
import { isIdentityKey } from '../message/identity-key.js';
import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import type { RuleNumber } from '../rules/rules.js';

/** The largest fee: 2^31 - 1 satoshis. */
export const MAX_FEE = 2_147_483_647;
/** The maximum length of a box name in UTF-8. */
export const MAX_BOX_BYTES = 128;
/** The maximum length of a message id in UTF-8. */
export const MAX_ID_BYTES = 256;

const CONTROLS = /\p{Cc}/u;
const FORBIDDEN_KEYS = ['__proto__', 'constructor', 'prototype'];

/** Whether current clients accept a name: not empty, without surrounding spaces or control characters, and not too long. */
export function isName(value: unknown, maxBytes: number): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.trim() === value &&
    Buffer.byteLength(value) <= maxBytes &&
    !CONTROLS.test(value)
  );
}

/** Reads an object. @throws ProtocolViolationError for other values, and for field names that clients refuse as an attack */
export function readRecord(value: unknown, what: string, rule: RuleNumber = '4'): Record<string, unknown> {
  if (!isRecord(value)) throw new ProtocolViolationError(rule, `${what} is not an object`);
  const forbidden = FORBIDDEN_KEYS.find((key) => Object.hasOwn(value, key));
  if (forbidden !== undefined) throw new ProtocolViolationError(rule, `${what} has a field named ${forbidden}`);
  return value;
}

/** Reads an array. @throws ProtocolViolationError for other values */
export function readArray(value: unknown, what: string, rule: RuleNumber = '4'): unknown[] {
  if (!Array.isArray(value)) throw new ProtocolViolationError(rule, `${what} is not an array`);
  return value;
}

/** Reads a name. @throws ProtocolViolationError unless {@link isName} holds */
export function readName(value: unknown, what: string, maxBytes: number, rule: RuleNumber = '4'): string {
  if (isName(value, maxBytes)) return value;
  throw new ProtocolViolationError(
    rule,
    `${what} is not a trimmed string of 1 to ${maxBytes} bytes without control characters`,
  );
}

/** Reads an identity key. @throws ProtocolViolationError for other values */
export function readIdentityKey(value: unknown, what: string, rule: RuleNumber = '4'): string {
  if (isIdentityKey(value)) return value;
  throw new ProtocolViolationError(rule, `${what} is not an identity key`);
}

/** Reads a fee. @throws ProtocolViolationError of rule 9.5 unless it is an integer within the limits */
export function readFee(value: unknown, what: string, min: -1 | 0): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= MAX_FEE) return value as number;
  throw new ProtocolViolationError('9.5', `${what} is not an integer from ${min} to ${MAX_FEE}`);
}

/** Reads a time. @throws ProtocolViolationError for other values */
export function readTime(value: unknown, what: string, rule: RuleNumber = '4'): string {
  const time = readName(value, what, 64, rule);
  if (Number.isNaN(Date.parse(time))) throw new ProtocolViolationError(rule, `${what} is not a time`);
  return time;
}
