import type { OutgoingHttpHeaders } from 'node:http';
import { varint } from '../bytes.js';
import { headerParts, type SignedHeader } from './payload-writer.js';

export interface ResponseToSign {
  /** The request's own, 32 bytes. */
  readonly requestId: Uint8Array;
  readonly status: number;
  /** As `res.getHeaders()` answers them: names in lower case; the signed ones without whitespace around their values. */
  readonly headers: OutgoingHttpHeaders;
  /** The bytes that the client will see; none for HEAD and for statuses without a body. */
  readonly body: Uint8Array;
}

/**
 * What the client verifies of a response (BRC-104): request id; status; the signed headers; body. The length of the body
 * is always there, 0 included: the client writes it so.
 */
export function responsePayload({ requestId, status, headers, body }: ResponseToSign): Buffer {
  return Buffer.concat([
    requestId,
    varint(status),
    ...headerParts(signedResponseHeaders(headers)),
    varint(body.length),
    body,
  ]);
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
