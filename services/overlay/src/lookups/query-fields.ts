import { RuleError } from '@messagebox/messages';

const MAX_TEXT_LENGTH = 255;

export function invalidQueryError(description: string): RuleError {
  return new RuleError('ERR_INVALID_QUERY', description);
}

/**
 * @param wanted the form of a valid query, for the error message
 * @throws {RuleError} `ERR_INVALID_QUERY` when the query is not an object
 */
export function parseQueryObject(query: unknown, wanted: string): Readonly<Record<string, unknown>> {
  if (typeof query !== 'object' || query === null || Array.isArray(query)) {
    throw invalidQueryError(`The query must be ${wanted}.`);
  }
  return query as Record<string, unknown>;
}

/**
 * Reads an optional text of a query. Some clients write null for a missing field.
 *
 * @throws {RuleError} `ERR_INVALID_QUERY`
 */
export function readTextField(query: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT_LENGTH || !value.isWellFormed()) {
    throw invalidQueryError(`${name} must have 1 to ${MAX_TEXT_LENGTH} characters.`);
  }
  return value;
}

/**
 * Reads the optional identity key of a query.
 *
 * @throws {RuleError} `ERR_INVALID_QUERY`
 */
export function readIdentityField(query: Readonly<Record<string, unknown>>): string | undefined {
  const value = readTextField(query, 'identityKey');
  if (value !== undefined && !/^0[23][0-9a-fA-F]{64}$/.test(value)) {
    throw invalidQueryError('identityKey must be a public key of 66 hex characters.');
  }
  return value?.toLowerCase();
}
