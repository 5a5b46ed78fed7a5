import { DEFAULT_JSON_LIMITS, findExceededJsonLimit, type JsonLimits } from '@messagebox/brc103';
import { RuleError } from './rule-error.js';

const utf8Decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses the JSON of a request, after a check that it won't take many times its size in memory.
 *
 * @throws {RuleError} `ERR_INVALID_JSON` when it isn't JSON in UTF-8, or exceeds {@link DEFAULT_JSON_LIMITS}
 */
export function parseJson(bytes: Uint8Array): unknown {
  const excess = findExceededJsonLimit(bytes);
  if (excess !== undefined) {
    throw new RuleError('ERR_INVALID_JSON', EXCESS_DESCRIPTIONS[excess], 400, {}, { limit: 'json_structure' });
  }
  try {
    return JSON.parse(utf8Decoder.decode(bytes));
  } catch {
    throw new RuleError('ERR_INVALID_JSON', 'The request body must be JSON in UTF-8.');
  }
}

const EXCESS_DESCRIPTIONS: Readonly<Record<keyof JsonLimits, string>> = {
  containers: `The request body has more than ${DEFAULT_JSON_LIMITS.containers} objects and arrays.`,
  keys: `The request body has more than ${DEFAULT_JSON_LIMITS.keys} properties.`,
  depth: `The request body is nested more than ${DEFAULT_JSON_LIMITS.depth} levels deep.`,
};
