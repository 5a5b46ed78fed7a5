import { RuleError } from '@messagebox/shared';

const MAX_TEXT = 255;

export function invalidQuery(description: string): RuleError {
  return new RuleError('ERR_INVALID_QUERY', description);
}

/** @throws {RuleError} `ERR_INVALID_QUERY` when the query isn't an object */
export function queryObject(query: unknown, wanted: string): Readonly<Record<string, unknown>> {
  if (typeof query !== 'object' || query === null || Array.isArray(query)) {
    throw invalidQuery(`The query must be ${wanted}.`);
  }
  return query as Record<string, unknown>;
}

/**
 * A text of a query. Absent is undefined, as is null, which some clients write for it.
 *
 * @throws {RuleError} `ERR_INVALID_QUERY`
 */
export function textField(query: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT || !value.isWellFormed()) {
    throw invalidQuery(`${name} must be a text of 1 to ${MAX_TEXT} characters.`);
  }
  return value;
}

/**
 * An identity key of a query.
 *
 * @throws {RuleError} `ERR_INVALID_QUERY`
 */
export function identityField(query: Readonly<Record<string, unknown>>): string | undefined {
  const value = textField(query, 'identityKey');
  if (value !== undefined && !/^0[23][0-9a-fA-F]{64}$/.test(value)) {
    throw invalidQuery('identityKey must be a public key of 66 hex characters.');
  }
  return value?.toLowerCase();
}
