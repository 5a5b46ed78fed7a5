import { excessOfJson, type JsonLimits, MAX_JSON } from '@messagebox/brc103';
import { RuleError } from './rule-error.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses the JSON of a request, once it is clear that it does not become many times as large by that.
 *
 * @throws {RuleError} `ERR_INVALID_JSON` when it isn't UTF-8 JSON, or has more structure than {@link MAX_JSON}
 */
export function parseJson(bytes: Uint8Array): unknown {
  const excess = excessOfJson(bytes);
  if (excess !== undefined) {
    throw new RuleError('ERR_INVALID_JSON', TOO_MUCH[excess], 400, {}, { limit: 'json_structure' });
  }
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new RuleError('ERR_INVALID_JSON', 'The request body must be JSON in UTF-8.');
  }
}

const TOO_MUCH: Readonly<Record<keyof JsonLimits, string>> = {
  containers: `The request body has more than ${MAX_JSON.containers} objects and arrays.`,
  keys: `The request body has more than ${MAX_JSON.keys} properties.`,
  depth: `The request body is nested more than ${MAX_JSON.depth} levels deep.`,
};
