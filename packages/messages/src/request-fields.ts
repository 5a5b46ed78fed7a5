import { MAX_FEE } from '@messagebox/store';
import { createNameExcess, isName } from './names.js';
import { RuleError } from './rule-error.js';
import { checkWholeNumber } from './whole-numbers.js';

/** Returns the canonical spelling of a valid identity key in any spelling, or undefined for an invalid key. */
export type NormaliseKey = (key: string) => string | undefined;

/** An own property of any value; undefined when it has none. Inherited properties do not count. */
export function getField(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** A field under either of its spellings. */
export function getEitherField(request: unknown, camelCase: string, snakeCase: string): unknown {
  return getField(request, camelCase) ?? getField(request, snakeCase);
}

/** Whether a field has a value: neither undefined nor null. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** @throws {RuleError} `ERR_INVALID_MESSAGE_BOX` unless it is a box name */
export function checkMessageBox(box: unknown): string {
  if (isName(box)) return box;
  const description = 'messageBox must be a text of 1 to 255 characters.';
  throw new RuleError('ERR_INVALID_MESSAGE_BOX', description, 400, createNameExcess('messageBox', box));
}

/** @throws {RuleError} `ERR_INVALID_FEE_VALUE` unless it is a whole number from `min` to {@link MAX_FEE} */
export function checkFee(given: number, min: number): number {
  const fee = checkWholeNumber(given, min, MAX_FEE);
  if (fee !== undefined) return fee;
  throw new RuleError('ERR_INVALID_FEE_VALUE', `A fee must be a whole number from ${min} to ${MAX_FEE}.`);
}
