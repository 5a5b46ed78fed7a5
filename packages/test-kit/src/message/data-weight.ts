import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import type { RuleNumber } from '../rules/rules.js';

/** The limits of a value from a server. */
export interface DataLimits {
  /** The rule that a value beyond the limits breaks. */
  readonly rule: RuleNumber;
  /** The maximum weight, see {@link measureDataWeight}. */
  readonly maxWeight: number;
  /** Whether an array of bytes counts as one value with a weight of 4 per byte, or as one value for each byte. */
  readonly packsBytes: boolean;
  /** Whether fields may be undefined, as in a message that is made from headers. */
  readonly allowsUndefined: boolean;
}

const MAX_VALUES = 100_000;
const MAX_DEPTH = 64;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Measures the weight of parsed JSON as current clients do: 24 for a number, 4 for `null` and booleans, the UTF-8 bytes and 2
 * for a string, and the bytes and 3 for each field name.
 *
 * @throws ProtocolViolationError when the value is too heavy, has too many values or levels, contains a value that JSON does
 *   not have, or a field name that clients refuse as an attack
 */
export function measureDataWeight(data: unknown, limits: DataLimits): number {
  const broken = (text: string) => new ProtocolViolationError(limits.rule, text);
  const todo: { value: unknown; depth: number }[] = [{ value: data, depth: 0 }];
  let weight = 0;
  let values = 0;
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { value, depth } = next;
    values += 1;
    if (values > MAX_VALUES) throw broken(`there are more than ${MAX_VALUES} values`);
    if (depth > MAX_DEPTH) throw broken(`values are nested deeper than ${MAX_DEPTH} levels`);
    const isNothing = value === null || (value === undefined && limits.allowsUndefined);
    if (isNothing || typeof value === 'boolean') weight += 4;
    else if (typeof value === 'string') weight += Buffer.byteLength(value) + 2;
    else if (typeof value === 'number') weight += measureNumberWeight(value, broken);
    else if (Array.isArray(value)) {
      if (limits.packsBytes && value.every(isByte)) weight += value.length * 4 + 2;
      else if (value.length > MAX_VALUES) throw broken(`there are more than ${MAX_VALUES} values`);
      else for (let index = 0; index < value.length; index += 1) todo.push({ value: value[index], depth: depth + 1 });
    } else if (isRecord(value)) {
      for (const [name, field] of Object.entries(value)) {
        if (FORBIDDEN_KEYS.has(name)) throw broken(`there is a field named ${name}`);
        weight += Buffer.byteLength(name) + 3;
        todo.push({ value: field, depth: depth + 1 });
      }
    } else throw broken(`there is a value of type ${typeof value}, which JSON does not have`);
    if (weight > limits.maxWeight) throw broken(`the values weigh more than ${limits.maxWeight}`);
  }
  return weight;
}

function measureNumberWeight(value: number, broken: (text: string) => Error): number {
  if (!Number.isFinite(value) || Object.is(value, -0)) throw broken('there is a number that JSON does not have');
  return 24;
}

/** Whether the value is an integer from 0 to 255. */
export function isByte(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
}

/** Whether the value is an object as `JSON.parse` creates it. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // socket.io parses in the realm of Node, and tests may run in another realm, so the root prototype of any realm is accepted.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
