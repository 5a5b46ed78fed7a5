import type { IncomingMessage } from 'node:http';

/** What a request may have, by its shape alone. */
export interface RequestBounds {
  /** Bytes of its target before the query, which may be as long as the header block: a quote names many recipients. */
  readonly pathBytes: number;
  /** Header lines. */
  readonly headers: number;
  /** Header lines that BRC-104 signs, each of which costs something before the signature can be verified. */
  readonly signedHeaders: number;
}

/** For servers that are not given others. */
export const REQUEST_BOUNDS: RequestBounds = { pathBytes: 2_048, headers: 200, signedHeaders: 64 };

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
export function excessOfRequest({ url = '', rawHeaders }: IncomingMessage, bounds: RequestBounds): Excess | undefined {
  // Node reads each byte of a request target as one character.
  const question = url.indexOf('?');
  if ((question < 0 ? url.length : question) > bounds.pathBytes) return PATH;
  const lines = rawHeaders.length / 2;
  if (lines > bounds.headers) return HEADERS;
  if (lines <= bounds.signedHeaders) return undefined;
  let signed = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.slice(0, SIGNED_PREFIX.length).toLowerCase() === SIGNED_PREFIX) signed += 1;
  }
  return signed > bounds.signedHeaders
    ? {
        limit: 'header_count',
        status: 431,
        description: `The request has more than ${bounds.signedHeaders} x-bsv- headers.`,
      }
    : undefined;
}

const PATH: Excess = { limit: 'path_length', status: 414, description: 'The path of the request is too long.' };
const HEADERS: Excess = { limit: 'header_count', status: 431, description: 'The request has too many headers.' };
