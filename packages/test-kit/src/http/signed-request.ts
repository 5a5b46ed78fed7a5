import { randomBytes } from 'node:crypto';
import { PayloadWriter } from './payload-writer.js';

/** A request to sign and send. */
export interface RequestSettings {
  /** GET by default. */
  readonly method?: string;
  /** Only `content-type`, `authorization` and `x-bsv-*` except `x-bsv-auth-*`. The signature does not cover others. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A request that is ready to be signed and sent. */
export interface SignedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  /** 32 bytes in base64, which the response repeats. */
  readonly id: string;
  /** The bytes that are signed. */
  readonly payload: Uint8Array;
}

const MAX_PATH_BYTES = 8_192;
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/**
 * Prepares a request.
 *
 * @throws TypeError when current clients do not send such a request
 */
export function prepareRequest(url: URL, { method = 'GET', headers = {}, body }: RequestSettings): SignedRequest {
  if (url.pathname.length > MAX_PATH_BYTES || url.search.length > MAX_PATH_BYTES) {
    throw new TypeError(`Current clients send paths and queries of at most ${MAX_PATH_BYTES} bytes.`);
  }
  const id = randomBytes(32);
  const signed = Object.entries(headers).map(([name, value]) => signedHeader(name.toLowerCase(), value));
  const json = signed.some(([name, value]) => name === 'content-type' && value.includes('application/json'));
  const carries = ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method);
  const bytes = Buffer.from(body ?? (carries && json ? '{}' : ''));
  const payload = new PayloadWriter()
    .writeBytes(id)
    .writeText(method)
    .writeOptional(Buffer.from(url.pathname))
    .writeOptional(Buffer.from(url.search))
    .writeHeaders(signed)
    .writeOptional(bytes)
    .finish();
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new TypeError(`Current clients send requests of at most ${MAX_PAYLOAD_BYTES} bytes.`);
  }
  return { url, method, headers: signed, body: bytes, id: id.toString('base64'), payload };
}

function signedHeader(name: string, value: string): [string, string] {
  if (name === 'content-type') return [name, (value.split(';')[0] ?? '').trim()];
  if (name === 'authorization' || (name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth'))) return [name, value];
  throw new TypeError(`Current clients send no header ${name} with a signed request.`);
}
