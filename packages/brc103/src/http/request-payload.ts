import { encodeVarint, VARINT_NO_VALUE } from '../bytes.js';
import { MalformedAuthError } from '../errors.js';
import { encodeHeaders, encodeText, type SignedHeader } from './payload-encoding.js';

/** The parts of a request that its signature covers, except for the body. */
export interface RequestToVerify {
  /** 32 bytes. */
  readonly requestId: Uint8Array;
  /** The method as sent, in upper case. */
  readonly method: string;
  /** The request target exactly as sent, one character per byte: Express's `req.originalUrl`, not `req.url`. */
  readonly url: string;
  /** Node's `req.rawHeaders`: name, value, name, value, … */
  readonly rawHeaders: readonly string[];
  /** The number of bytes received. 0 when there was no body. */
  readonly bodyBytes: number;
}

/**
 * Encodes the part of the signed payload of a request (BRC-104) that precedes the body: request id, method, path, search
 * with its `?`, signed headers, and length of the body. Everything is encoded as it was sent. If a URL or header was parsed
 * and serialised again, any difference between the two would not be covered by the signature.
 *
 * An empty body and no body are encoded alike: clients write -1 for both.
 *
 * @throws {MalformedAuthError} when the target is not a path, or a header was sent twice that must be sent once
 */
export function encodeRequestPayloadHead(request: RequestToVerify): Buffer {
  // Only the origin form is accepted (RFC 9112, section 3.2.1). In other forms, the signed and the routed path could differ.
  if (!request.url.startsWith('/')) throw new MalformedAuthError('The request target is not a path');
  const searchAt = request.url.indexOf('?');
  const path = searchAt < 0 ? request.url : request.url.slice(0, searchAt);
  const search = searchAt < 0 ? undefined : request.url.slice(searchAt);
  return Buffer.concat([
    request.requestId,
    ...encodeText(request.method),
    ...encodeText(path, 'latin1'),
    ...(search === undefined ? [VARINT_NO_VALUE] : encodeText(search, 'latin1')),
    ...encodeHeaders(selectSignedRequestHeaders(request.rawHeaders)),
    request.bodyBytes === 0 ? VARINT_NO_VALUE : encodeVarint(request.bodyBytes),
  ]);
}

/**
 * Selects `content-type` up to its first `;`, `authorization`, and `x-bsv-*` except `x-bsv-auth*`. Also selects names that
 * begin with `content-type`, because clients sign those too.
 */
function selectSignedRequestHeaders(rawHeaders: readonly string[]): SignedHeader[] {
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
      headers.set(name, `${earlier}, ${value}`); // fetch and Node join the values of a repeated header like this
    } else {
      throw new MalformedAuthError(`The header ${isContentType ? 'content-type' : name} was sent twice`);
    }
  }
  return [...headers];
}
