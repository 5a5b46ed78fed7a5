import { decodeBase64 } from './bytes.js';
import { MAX_CLIENT_NONCE_BYTES, MIN_CLIENT_NONCE_BYTES } from './client-nonce.js';
import type { Curve } from './curve/curve.js';
import { MalformedAuthError } from './errors.js';
import { isIdentityKey } from './identity-key.js';

/** The part of a BRC-103 initialRequest that a server uses. */
export interface InitialRequest {
  /** 66 lower-case hex characters of a point on the curve. */
  readonly identityKey: string;
  /** The client's session nonce: canonical base64 of 16 to 128 bytes. */
  readonly initialNonce: string;
}

/** `AuthMessage` has ten fields. Some extra fields are tolerated. */
const MAX_HANDSHAKE_FIELDS = 20;

/**
 * Reads an initialRequest. Only own properties count. Unknown properties are ignored, and so are requested certificates,
 * because the server has none. Only `__proto__`, `constructor` and `prototype`, which no client sends, are refused.
 *
 * @param message the request as parsed from JSON, unchecked
 * @throws {MalformedAuthError} for anything else. Its message names the broken rule, and never repeats the input
 */
export function parseInitialRequest(message: unknown, curve: Curve): InitialRequest {
  if (!isPlainObject(message)) throw new MalformedAuthError('An auth message must be an object');
  const names = Object.getOwnPropertyNames(message);
  if (names.length > MAX_HANDSHAKE_FIELDS) throw new MalformedAuthError('The auth message has too many fields');
  if (names.some((name) => name === '__proto__' || name === 'constructor' || name === 'prototype')) {
    throw new MalformedAuthError('The auth message has a field that is not allowed');
  }
  const own = (name: string): unknown => (Object.hasOwn(message, name) ? message[name] : undefined);

  if (own('version') !== '0.1') throw new MalformedAuthError('The auth version is not supported: use 0.1');
  if (own('messageType') !== 'initialRequest') throw new MalformedAuthError('The messageType must be initialRequest');
  const identityKey = own('identityKey');
  if (!isIdentityKey(identityKey, curve)) {
    throw new MalformedAuthError('identityKey must be a compressed public key: 66 lower-case hex characters');
  }
  const initialNonce = own('initialNonce');
  if (typeof initialNonce !== 'string' || !decodeBase64(initialNonce, MIN_CLIENT_NONCE_BYTES, MAX_CLIENT_NONCE_BYTES)) {
    throw new MalformedAuthError('initialNonce must be canonical base64 of 16 to 128 bytes');
  }
  return { identityKey, initialNonce };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
