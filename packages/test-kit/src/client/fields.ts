import { isRecord } from '../message/data-weight.js';
import { isIdentityKey } from '../message/identity-key.js';
import { ProtocolViolation } from '../rules/protocol-violation.js';
import type { RuleNumber } from '../rules/rules.js';

/** The largest fee: 2^31 - 1 satoshis. */
export const MAX_FEE = 2_147_483_647;
/** Upper bound of the UTF-8 bytes of a box name. */
export const MAX_BOX_BYTES = 128;
/** Upper bound of the UTF-8 bytes of a message id. */
export const MAX_ID_BYTES = 256;

const CONTROLS = /\p{Cc}/u;
const FORBIDDEN_KEYS = ['__proto__', 'constructor', 'prototype'];

/** Whether today's clients take a text for a name: not empty, no space around it, no controls, not too long. */
export function isName(value: unknown, maxBytes: number): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.trim() === value &&
    Buffer.byteLength(value) <= maxBytes &&
    !CONTROLS.test(value)
  );
}

/** An object of an answer. @throws ProtocolViolation when it is none, or has a name that clients take for an attack */
export function readRecord(value: unknown, what: string, rule: RuleNumber = '4'): Record<string, unknown> {
  if (!isRecord(value)) throw new ProtocolViolation(rule, `${what} is no object`);
  const forbidden = FORBIDDEN_KEYS.find((key) => Object.hasOwn(value, key));
  if (forbidden !== undefined) throw new ProtocolViolation(rule, `${what} has a field named ${forbidden}`);
  return value;
}

/** A list of an answer. @throws ProtocolViolation when it is none */
export function readArray(value: unknown, what: string, rule: RuleNumber = '4'): unknown[] {
  if (!Array.isArray(value)) throw new ProtocolViolation(rule, `${what} is no array`);
  return value;
}

/** A name of an answer. @throws ProtocolViolation unless `isName` */
export function readName(value: unknown, what: string, maxBytes: number, rule: RuleNumber = '4'): string {
  if (isName(value, maxBytes)) return value;
  throw new ProtocolViolation(rule, `${what} is no trimmed text of 1 to ${maxBytes} bytes without control characters`);
}

/** An identity key of an answer. @throws ProtocolViolation when it is none */
export function readIdentityKey(value: unknown, what: string, rule: RuleNumber = '4'): string {
  if (isIdentityKey(value)) return value;
  throw new ProtocolViolation(rule, `${what} is no identity key`);
}

/** A fee of an answer. @throws ProtocolViolation of rule 9.5 unless it is an integer within the bounds */
export function readFee(value: unknown, what: string, min: -1 | 0): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= MAX_FEE) return value as number;
  throw new ProtocolViolation('9.5', `${what} is no integer from ${min} to ${MAX_FEE}`);
}

/** A time of an answer. @throws ProtocolViolation when it is none */
export function readTime(value: unknown, what: string, rule: RuleNumber = '4'): string {
  const time = readName(value, what, 64, rule);
  if (Number.isNaN(Date.parse(time))) throw new ProtocolViolation(rule, `${what} is no time`);
  return time;
}
