import type { IncomingMessage } from 'node:http';

/** Bytes of a request target before its query, which may be as long as the header block: a quote names many recipients. */
export const MAX_PATH_BYTES = 2_048;
/** Header lines of a request. */
export const MAX_HEADERS = 200;
/** Header lines that BRC-104 signs, each of which costs something before the signature can be verified. */
export const MAX_SIGNED_HEADERS = 64;

const SIGNED_PREFIX = 'x-bsv-';

/** What a request has too much of, and how that is answered. */
export interface Excess {
  readonly limit: 'path_length' | 'header_count';
  readonly status: 414 | 431;
  readonly description: string;
}

/**
 * Judges a request by its shape alone, before anything is done with it.
 *
 * @returns undefined when it may go on
 */
export function excessOfRequest({ url = '', rawHeaders }: IncomingMessage): Excess | undefined {
  // Node reads each byte of a request target as one character.
  const question = url.indexOf('?');
  if ((question < 0 ? url.length : question) > MAX_PATH_BYTES) return PATH;
  const lines = rawHeaders.length / 2;
  if (lines > MAX_HEADERS) return HEADERS;
  if (lines <= MAX_SIGNED_HEADERS) return undefined;
  let signed = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.slice(0, SIGNED_PREFIX.length).toLowerCase() === SIGNED_PREFIX) signed += 1;
  }
  return signed > MAX_SIGNED_HEADERS ? SIGNED_HEADERS : undefined;
}

const PATH: Excess = { limit: 'path_length', status: 414, description: 'The path of the request is too long.' };
const HEADERS: Excess = { limit: 'header_count', status: 431, description: 'The request has too many headers.' };
const SIGNED_HEADERS: Excess = {
  limit: 'header_count',
  status: 431,
  description: `The request has more than ${MAX_SIGNED_HEADERS} x-bsv- headers.`,
};
