import type { OutgoingHttpHeaders } from 'node:http';
import { encodeVarint } from '../bytes.js';
import { encodeHeaders, type SignedHeader } from './payload-encoding.js';

/** The parts of a response that its signature covers, except for the body. */
export interface ResponseToSign {
  /** The id of the request, 32 bytes. */
  readonly requestId: Uint8Array;
  readonly status: number;
  /** The result of `res.getHeaders()`: names in lower case. Values of signed headers have no surrounding whitespace. */
  readonly headers: OutgoingHttpHeaders;
  /** The number of bytes of the body that the client receives. 0 for HEAD and for statuses without a body. */
  readonly bodyBytes: number;
}

/**
 * Encodes the part of the signed payload of a response (BRC-104) that precedes the body: request id, status, signed headers,
 * and length of the body. Unlike in requests, the length of an empty body is 0 and not -1.
 */
export function encodeResponsePayloadHead({ requestId, status, headers, bodyBytes }: ResponseToSign): Buffer {
  return Buffer.concat([
    requestId,
    encodeVarint(status),
    ...encodeHeaders(selectSignedResponseHeaders(headers)),
    encodeVarint(bodyBytes),
  ]);
}

/** Whether the signature covers a response header: `authorization`, and `x-bsv-*` except `x-bsv-auth*`. */
export function isSignedResponseHeader(lowerCaseName: string): boolean {
  if (lowerCaseName.startsWith('x-bsv-')) return !lowerCaseName.startsWith('x-bsv-auth');
  return lowerCaseName === 'authorization';
}

function selectSignedResponseHeaders(headers: OutgoingHttpHeaders): SignedHeader[] {
  const signed: SignedHeader[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !isSignedResponseHeader(name)) continue;
    signed.push([name, Array.isArray(value) ? value.join(', ') : String(value)]); // clients see repeated headers joined like this
  }
  return signed;
}
