import { RuleError } from './rule-error.js';

/** The refusal of a page's `limit`, which must be a whole number from 1 to `max`. */
export function invalidLimitError(max: number): RuleError {
  const description = `limit must be a whole number from 1 to ${max}.`;
  return new RuleError('ERR_INVALID_LIMIT', description, 400, { field: 'limit', limit: max });
}
