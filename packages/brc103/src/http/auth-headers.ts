import { decodeBase64, decodeHex } from '../bytes.js';
import { MAX_CLIENT_NONCE_BYTES, MIN_CLIENT_NONCE_BYTES } from '../client-nonce.js';
import { MAX_DER_BYTES } from '../der.js';
import { MalformedAuthError, UnauthorizedError } from '../errors.js';

/** A request's `x-bsv-auth-*` headers. They are well-formed, but not verified. */
export interface AuthHeaders {
  /** The identity that the client claims: 66 lower-case hex characters, not necessarily a point. */
  readonly identityKey: string;
  /** The message's nonce: canonical base64 of 16 to 128 bytes. */
  readonly nonce: string;
  /** The session nonce that a server issued to the client: canonical base64. */
  readonly yourNonce: string;
  /** At most 72 bytes, not necessarily DER. */
  readonly signature: Buffer;
  /** 32 bytes. */
  readonly requestId: Buffer;
}

const HEADER_PREFIX = 'x-bsv-auth-';
const REQUIRED_HEADERS = ['version', 'identity-key', 'nonce', 'your-nonce', 'signature', 'request-id'] as const;
type AuthHeaderName = (typeof REQUIRED_HEADERS)[number];
/** The longest header of current clients, the signature, has 144 characters. */
const MAX_HEADER_CHARACTERS = 1024;
const MAX_SESSION_NONCE_BYTES = 600;

/**
 * Reads the auth headers, each of which must be present exactly once. Reads the raw headers, because Node joins duplicates
 * into one value.
 *
 * @param rawHeaders Node's `req.rawHeaders`: name, value, name, value, …
 * @throws {UnauthorizedError} when there are none
 * @throws {MalformedAuthError} when a header is missing, sent twice, too long, or not encoded correctly
 */
export function parseAuthHeaders(rawHeaders: readonly string[]): AuthHeaders {
  const found = new Map<AuthHeaderName, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const full = (rawHeaders[i] ?? '').toLowerCase();
    const name = full.startsWith(HEADER_PREFIX)
      ? REQUIRED_HEADERS.find((known) => full === HEADER_PREFIX + known)
      : undefined;
    if (!name) continue;
    if (found.has(name)) throw new MalformedAuthError(`The header ${HEADER_PREFIX}${name} was sent twice`);
    const value = rawHeaders[i + 1] ?? '';
    if (value.length > MAX_HEADER_CHARACTERS)
      throw new MalformedAuthError(`The header ${HEADER_PREFIX}${name} is too long`);
    found.set(name, value);
  }
  if (found.size === 0) throw new UnauthorizedError();

  if (requireHeader(found, 'version') !== '0.1')
    throw new MalformedAuthError('The auth version is not supported: use 0.1');
  const identityKey = requireHeader(found, 'identity-key');
  if (!/^0[23][0-9a-f]{64}$/.test(identityKey)) {
    throw new MalformedAuthError(`The header ${HEADER_PREFIX}identity-key is not 66 lower-case hex characters`);
  }
  const nonce = requireHeader(found, 'nonce');
  const yourNonce = requireHeader(found, 'your-nonce');
  requireDecoded('nonce', decodeBase64(nonce, MIN_CLIENT_NONCE_BYTES, MAX_CLIENT_NONCE_BYTES));
  requireDecoded('your-nonce', decodeBase64(yourNonce, MIN_CLIENT_NONCE_BYTES, MAX_SESSION_NONCE_BYTES));
  return {
    identityKey,
    nonce,
    yourNonce,
    signature: requireDecoded('signature', decodeHex(requireHeader(found, 'signature'), MAX_DER_BYTES)),
    requestId: requireDecoded('request-id', decodeBase64(requireHeader(found, 'request-id'), 32, 32)),
  };
}

function requireHeader(found: ReadonlyMap<AuthHeaderName, string>, name: AuthHeaderName): string {
  const value = found.get(name);
  if (value === undefined) throw new MalformedAuthError(`The header ${HEADER_PREFIX}${name} is missing`);
  return value;
}

function requireDecoded(name: AuthHeaderName, bytes: Buffer | undefined): Buffer {
  if (!bytes) throw new MalformedAuthError(`The header ${HEADER_PREFIX}${name} is not encoded correctly`);
  return bytes;
}
