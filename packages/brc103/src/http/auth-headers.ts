import { decodeBase64, decodeHex } from '../bytes.js';
import { MAX_CLIENT_NONCE_BYTES, MIN_CLIENT_NONCE_BYTES } from '../client-nonce.js';
import { MAX_DER_BYTES } from '../der.js';
import { MalformedAuthError, UnauthorizedError } from '../errors.js';

/** A request's `x-bsv-auth-*` headers, each well-formed; whether they are true is another question. */
export interface AuthHeaders {
  /** Who the client says it is: 66 lower-case hex characters, not necessarily a point. */
  readonly identityKey: string;
  /** The message's nonce: canonical base64 of 16 to 128 bytes. */
  readonly nonce: string;
  /** The session nonce that a server gave to the client: canonical base64. */
  readonly yourNonce: string;
  /** At most 72 bytes, meant to be DER. */
  readonly signature: Buffer;
  /** 32 bytes. */
  readonly requestId: Buffer;
}

const PREFIX = 'x-bsv-auth-';
const REQUIRED = ['version', 'identity-key', 'nonce', 'your-nonce', 'signature', 'request-id'] as const;
type AuthHeaderName = (typeof REQUIRED)[number];
/** The longest that a sound client sends, the signature, has 144. */
const MAX_VALUE_CHARACTERS = 1024;
const MAX_NONCE_BYTES = 600;

/**
 * Reads the auth headers, each of which must be there exactly once. They are taken from the raw headers because Node
 * joins duplicates into one value.
 *
 * @param rawHeaders Node's `req.rawHeaders`: name, value, name, value, …
 * @throws {UnauthorizedError} without any of them
 * @throws {MalformedAuthError} when one is missing, double, too long, or not encoded as it must be
 */
export function readAuthHeaders(rawHeaders: readonly string[]): AuthHeaders {
  const found = new Map<AuthHeaderName, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const full = (rawHeaders[i] ?? '').toLowerCase();
    const name = full.startsWith(PREFIX) ? REQUIRED.find((known) => full === PREFIX + known) : undefined;
    if (!name) continue;
    if (found.has(name)) throw new MalformedAuthError(`The header ${PREFIX}${name} was sent twice`);
    const value = rawHeaders[i + 1] ?? '';
    if (value.length > MAX_VALUE_CHARACTERS) throw new MalformedAuthError(`The header ${PREFIX}${name} is too long`);
    found.set(name, value);
  }
  if (found.size === 0) throw new UnauthorizedError();

  if (required(found, 'version') !== '0.1') throw new MalformedAuthError('The auth version is not supported: use 0.1');
  const identityKey = required(found, 'identity-key');
  if (!/^0[23][0-9a-f]{64}$/.test(identityKey)) {
    throw new MalformedAuthError(`The header ${PREFIX}identity-key is not 66 lower-case hex characters`);
  }
  const nonce = required(found, 'nonce');
  const yourNonce = required(found, 'your-nonce');
  decoded('nonce', decodeBase64(nonce, MIN_CLIENT_NONCE_BYTES, MAX_CLIENT_NONCE_BYTES));
  decoded('your-nonce', decodeBase64(yourNonce, MIN_CLIENT_NONCE_BYTES, MAX_NONCE_BYTES));
  return {
    identityKey,
    nonce,
    yourNonce,
    signature: decoded('signature', decodeHex(required(found, 'signature'), MAX_DER_BYTES)),
    requestId: decoded('request-id', decodeBase64(required(found, 'request-id'), 32, 32)),
  };
}

function required(found: ReadonlyMap<AuthHeaderName, string>, name: AuthHeaderName): string {
  const value = found.get(name);
  if (value === undefined) throw new MalformedAuthError(`The header ${PREFIX}${name} is missing`);
  return value;
}

function decoded(name: AuthHeaderName, bytes: Buffer | undefined): Buffer {
  if (!bytes) throw new MalformedAuthError(`The header ${PREFIX}${name} is not encoded correctly`);
  return bytes;
}
