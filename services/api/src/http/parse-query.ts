import { RuleError } from '@messagebox/messages';
import type { Request } from 'express';

/** A parameter that was given once is a string; one that was given several times is a list, in the given order. */
export type ParsedQuery = Readonly<Record<string, string | string[]>>;

/**
 * Parses the query of a verified request from the text that was signed. `request.query` would be unsafe: it drops
 * everything after the thousandth parameter, and replaces bytes that are not UTF-8.
 *
 * @throws {RuleError} `ERR_INVALID_REQUEST` when the query can't be decoded
 */
export function parseQuery(request: Request): ParsedQuery {
  const start = request.originalUrl.indexOf('?');
  const search = start < 0 ? '' : request.originalUrl.slice(start + 1);
  const query = new Map<string, string | string[]>();
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeQueryText(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decodeQueryText(pair.slice(equals + 1));
    const earlier = query.get(name);
    if (Array.isArray(earlier)) earlier.push(value);
    else query.set(name, earlier === undefined ? value : [earlier, value]);
  }
  return Object.fromEntries(query);
}

/** Decodes application/x-www-form-urlencoded text, the format of `URLSearchParams`. */
function decodeQueryText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new RuleError('ERR_INVALID_REQUEST', 'The query must be percent-encoded UTF-8.');
  }
}
