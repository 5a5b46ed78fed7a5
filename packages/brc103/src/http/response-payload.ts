import type { OutgoingHttpHeaders } from 'node:http';
import { varint } from '../bytes.js';
import { headerParts, type SignedHeader } from './payload-writer.js';

export interface ResponseToSign {
  /** The request's own, 32 bytes. */
  readonly requestId: Uint8Array;
  readonly status: number;
  /** As `res.getHeaders()` answers them: names in lower case; the signed ones without whitespace around their values. */
  readonly headers: OutgoingHttpHeaders;
  /** Bytes of the body that the client will see; 0 for HEAD and for statuses without a body. */
  readonly bodyBytes: number;
}

/**
 * What the client verifies of a response (BRC-104) before the body itself: request id; status; the signed headers; the
 * length of the body, which is always there, 0 included: the client writes it so.
 */
export function responsePayloadHead({ requestId, status, headers, bodyBytes }: ResponseToSign): Buffer {
  return Buffer.concat([requestId, varint(status), ...headerParts(signedResponseHeaders(headers)), varint(bodyBytes)]);
}

/** Whether a response header is inside the signature: `authorization`, and `x-bsv-*` but not `x-bsv-auth*`. */
export function isSignedResponseHeader(lowerCaseName: string): boolean {
  if (lowerCaseName.startsWith('x-bsv-')) return !lowerCaseName.startsWith('x-bsv-auth');
  return lowerCaseName === 'authorization';
}

function signedResponseHeaders(headers: OutgoingHttpHeaders): SignedHeader[] {
  const signed: SignedHeader[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !isSignedResponseHeader(name)) continue;
    signed.push([name, Array.isArray(value) ? value.join(', ') : String(value)]); // joined as the client reads them
  }
  return signed;
}
