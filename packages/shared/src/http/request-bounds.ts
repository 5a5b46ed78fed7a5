import type { IncomingMessage } from 'node:http';

/** Limits on the shape of a request. */
export interface RequestBounds {
  /** Bytes of the target before the query. The query may fill the header block, because a quote names many recipients. */
  readonly pathBytes: number;
  /** Header lines. */
  readonly headers: number;
  /** Header lines that BRC-104 signs. Each one costs time before the signature can be verified. */
  readonly signedHeaders: number;
}

/** For servers without limits of their own. */
export const DEFAULT_REQUEST_BOUNDS: RequestBounds = { pathBytes: 2_048, headers: 200, signedHeaders: 64 };

const SIGNED_PREFIX = 'x-bsv-';

/** The limit that a request exceeds, and the response. */
export interface RequestExcess {
  readonly limit: 'path_length' | 'header_count';
  readonly status: 414 | 431;
  readonly description: string;
}

/**
 * Checks the shape of a request before any work is done for it.
 *
 * @returns undefined when the request is within the limits
 */
export function findRequestExcess(
  { url = '', rawHeaders }: IncomingMessage,
  bounds: RequestBounds,
): RequestExcess | undefined {
  // Node reads each byte of a request target as one character.
  const question = url.indexOf('?');
  if ((question < 0 ? url.length : question) > bounds.pathBytes) return PATH_EXCESS;
  const lines = rawHeaders.length / 2;
  if (lines > bounds.headers) return HEADERS_EXCESS;
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

const PATH_EXCESS: RequestExcess = {
  limit: 'path_length',
  status: 414,
  description: 'The path of the request is too long.',
};
const HEADERS_EXCESS: RequestExcess = {
  limit: 'header_count',
  status: 431,
  description: 'The request has too many headers.',
};
