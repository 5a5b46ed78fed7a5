import { RuleError } from '@messagebox/shared';
import type { Request } from 'express';

/** What came once is a text, what came several times the list of them, in their order. */
export type Query = Readonly<Record<string, string | string[]>>;

/**
 * The query of a verified request, from the very text that was signed. Not `request.query`: that one drops what comes
 * after the thousandth parameter, and takes bytes that are no UTF-8 for others.
 *
 * @throws {RuleError} `ERR_INVALID_REQUEST` when it can't be decoded
 */
export function queryOf(request: Request): Query {
  const question = request.originalUrl.indexOf('?');
  const search = question < 0 ? '' : request.originalUrl.slice(question + 1);
  const found = new Map<string, string | string[]>();
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    const earlier = found.get(name);
    if (Array.isArray(earlier)) earlier.push(value);
    else found.set(name, earlier === undefined ? value : [earlier, value]);
  }
  return Object.fromEntries(found);
}

/** As `URLSearchParams` writes it (application/x-www-form-urlencoded). */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new RuleError('ERR_INVALID_REQUEST', 'The query is not UTF-8 in percent-encoding.');
  }
}
