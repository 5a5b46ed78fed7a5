import { randomBytes } from 'node:crypto';
import { PayloadWriter } from './payload-writer.js';

/** What to ask a server. */
export interface RequestSettings {
  /** GET by default. */
  readonly method?: string;
  /** `content-type`, `authorization` and `x-bsv-*` other than `x-bsv-auth-*`: all others are outside the signature. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A request as it is signed and sent. */
export interface SignedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  /** 32 bytes in base64, which come back with the answer. */
  readonly id: string;
  /** What is signed. */
  readonly payload: Uint8Array;
}

const MAX_PATH_BYTES = 8_192;
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/**
 * Puts a request together.
 * @throws TypeError when today's clients do not send such a request
 */
export function prepareRequest(url: URL, { method = 'GET', headers = {}, body }: RequestSettings): SignedRequest {
  if (url.pathname.length > MAX_PATH_BYTES || url.search.length > MAX_PATH_BYTES) {
    throw new TypeError(`Today's clients send paths and queries of at most ${MAX_PATH_BYTES} bytes.`);
  }
  const id = randomBytes(32);
  const signed = Object.entries(headers).map(([name, value]) => signedHeader(name.toLowerCase(), value));
  const json = signed.some(([name, value]) => name === 'content-type' && value.includes('application/json'));
  const carries = ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method);
  const bytes = Buffer.from(body ?? (carries && json ? '{}' : ''));
  const payload = new PayloadWriter()
    .bytes(id)
    .text(method)
    .optional(Buffer.from(url.pathname))
    .optional(Buffer.from(url.search))
    .headers(signed)
    .optional(bytes)
    .finish();
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new TypeError(`Today's clients send requests of at most ${MAX_PAYLOAD_BYTES} bytes.`);
  }
  return { url, method, headers: signed, body: bytes, id: id.toString('base64'), payload };
}

function signedHeader(name: string, value: string): [string, string] {
  if (name === 'content-type') return [name, (value.split(';')[0] ?? '').trim()];
  if (name === 'authorization' || (name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth'))) return [name, value];
  throw new TypeError(`Today's clients send no header ${name} with a signed request.`);
}
