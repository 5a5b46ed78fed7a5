import { ProtocolViolation } from '../rules/protocol-violation.js';
import type { RuleNumber } from '../rules/rules.js';

/** What a value that came from a server may amount to. */
export interface DataLimits {
  /** The rule that is broken by a value beyond the limits. */
  readonly rule: RuleNumber;
  /** Upper bound of the weight, see `weighData`. */
  readonly maxWeight: number;
  /** Whether an array of nothing but bytes is one value of 4 per byte, or as many values as it has bytes. */
  readonly packsBytes: boolean;
  /** Whether a field may be there without a value, as one of a message that was put together from headers. */
  readonly allowsUndefined: boolean;
}

const MAX_VALUES = 100_000;
const MAX_DEPTH = 64;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Weighs parsed JSON as today's clients do: a number is 24, `null` and booleans are 4, a text is its UTF-8 bytes and 2,
 * and each name of a field its bytes and 3.
 *
 * @throws ProtocolViolation when the value is too heavy, has too many values or too many levels, or when it holds
 *   anything that JSON has not or a name that a client takes for an attack
 */
export function weighData(data: unknown, limits: DataLimits): number {
  const broken = (text: string) => new ProtocolViolation(limits.rule, text);
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
    else if (typeof value === 'number') weight += weighNumber(value, broken);
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
    } else throw broken(`there is a value of type ${typeof value}, which JSON has not`);
    if (weight > limits.maxWeight) throw broken(`the values weigh more than ${limits.maxWeight}`);
  }
  return weight;
}

function weighNumber(value: number, broken: (text: string) => Error): number {
  if (!Number.isFinite(value) || Object.is(value, -0)) throw broken('there is a number that JSON has not');
  return 24;
}

/** Whether the value is an integer from 0 to 255. */
export function isByte(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
}

/** Whether the value is an object as `JSON.parse` makes it. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Socket.io parses in the realm of Node, a test may run in another one: the root of any realm will do.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
