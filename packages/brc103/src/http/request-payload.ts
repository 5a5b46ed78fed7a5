import { NO_VALUE, varint } from '../bytes.js';
import { MalformedAuthError } from '../errors.js';
import { headerParts, lengthAndText, type SignedHeader } from './payload-writer.js';

export interface RequestToVerify {
  /** 32 bytes. */
  readonly requestId: Uint8Array;
  /** As sent: upper case. */
  readonly method: string;
  /** The request target exactly as sent, one character per byte: Express's `req.originalUrl`, not `req.url`. */
  readonly url: string;
  /** Node's `req.rawHeaders`: name, value, name, value, … */
  readonly rawHeaders: readonly string[];
  /** Bytes received; 0 when there was no body. */
  readonly bodyBytes: number;
}

/**
 * What the client signed of its request (BRC-104) before the body itself: request id; method; path; search with its `?`;
 * the signed headers; the length of the body. Everything is taken as it came over the wire. Nothing is parsed and written
 * anew, since what a parser and a serialiser disagree about would be outside the signature.
 *
 * A body of no bytes and no body are the same: the client writes -1 for both.
 *
 * @throws {MalformedAuthError} when the target isn't a path, or a header that must be single is not
 */
export function requestPayloadHead(request: RequestToVerify): Buffer {
  // Only the origin form (RFC 9112, section 3.2.1): in the others, the path signed and the path routed could differ.
  if (!request.url.startsWith('/')) throw new MalformedAuthError('The request target is not a path');
  const searchAt = request.url.indexOf('?');
  const path = searchAt < 0 ? request.url : request.url.slice(0, searchAt);
  const search = searchAt < 0 ? undefined : request.url.slice(searchAt);
  return Buffer.concat([
    request.requestId,
    ...lengthAndText(request.method),
    ...lengthAndText(path, 'latin1'),
    ...(search === undefined ? [NO_VALUE] : lengthAndText(search, 'latin1')),
    ...headerParts(signedRequestHeaders(request.rawHeaders)),
    request.bodyBytes === 0 ? NO_VALUE : varint(request.bodyBytes),
  ]);
}

/**
 * `content-type` up to its first `;`, `authorization`, and `x-bsv-*` but not `x-bsv-auth*`. Names that merely begin with
 * `content-type` count as well, because the client signs those too.
 */
function signedRequestHeaders(rawHeaders: readonly string[]): SignedHeader[] {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const isContentType = name.startsWith('content-type');
    const isCustom = name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth');
    if (!isContentType && !isCustom && name !== 'authorization') continue;

    const value = rawHeaders[i + 1] ?? '';
    const earlier = headers.get(name);
    if (earlier === undefined) {
      headers.set(name, isContentType ? value.replace(/;.*$/s, '').trim() : value);
    } else if (isCustom) {
      headers.set(name, `${earlier}, ${value}`); // as fetch sends, and Node shows, a header that was given twice
    } else {
      throw new MalformedAuthError(`The header ${isContentType ? 'content-type' : name} was sent twice`);
    }
  }
  return [...headers];
}
