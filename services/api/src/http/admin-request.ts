import { isName, type NormaliseKey, parseWholeNumber, RuleError } from '@messagebox/messages';
import type { Request } from 'express';
import { parseQuery } from './parse-query.js';

/** Entries of a page of an operator's route. */
const MAX_PAGE = 100;
const DEFAULT_PAGE = 50;

/** @throws {RuleError} `ERR_INVALID_PUBLIC_KEY` */
export function parseIdentityKey(text: unknown, normaliseKey: NormaliseKey): string {
  const key = typeof text === 'string' ? normaliseKey(text) : undefined;
  if (key !== undefined) return key;
  throw new RuleError(
    'ERR_INVALID_PUBLIC_KEY',
    'The identity key must be a compressed public key of 66 hex characters.',
  );
}

/** The parameter `limit`: 1 to 100, default 50. @throws {RuleError} `ERR_INVALID_LIMIT` */
export function parsePageLimit(request: Request): number {
  const { limit } = parseQuery(request);
  if (limit === undefined) return DEFAULT_PAGE;
  const parsed = parseWholeNumber(limit, 1, MAX_PAGE);
  if (parsed !== undefined) return parsed;
  const details = { field: 'limit', limit: MAX_PAGE };
  throw new RuleError('ERR_INVALID_LIMIT', `limit must be a whole number from 1 to ${MAX_PAGE}.`, 400, details);
}

/**
 * A parameter that must be one of these texts.
 *
 * @throws {RuleError} with this code
 */
export function parseChoice<T extends string>(
  request: Request,
  name: string,
  choices: readonly [T, ...T[]],
  code: 'ERR_INVALID_ORDER' | 'ERR_INVALID_REQUEST',
): T {
  const value = parseQuery(request)[name];
  if (value === undefined) return choices[0];
  const choice = choices.find((one) => one === value);
  if (choice !== undefined) return choice;
  throw new RuleError(code, `${name} must be one of: ${choices.join(', ')}.`);
}

/** An optional box name of a body. @throws {RuleError} `ERR_INVALID_MESSAGEBOX` */
export function parseOptionalBox(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (isName(value)) return value;
  throw new RuleError('ERR_INVALID_MESSAGEBOX', 'messageBox must be a text of 1 to 255 characters.');
}

/** @throws {RuleError} `ERR_INVALID_AFTER` */
export function refuseCursor(): never {
  throw new RuleError('ERR_INVALID_AFTER', 'after must be the next of an earlier answer.');
}
