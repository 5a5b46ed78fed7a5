/**
 * The parts of BRC-103 that need neither Express nor socket.io: the authenticator, the keys of BRC-42 and BRC-43, and the
 * curve. The transports are in `@messagebox/brc103/express` and `@messagebox/brc103/socket-io`.
 */
export {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  type InitialResponse,
  type IssuedSession,
  MAX_CLOCK_SKEW_MS,
  type Session,
} from './authenticator.js';
export type { Curve } from './curve/curve.js';
export { loadCurve } from './curve/load-curve.js';
export * from './errors.js';
export type { ClientNonceRecord, ClientNonceStore } from './http/client-nonce-store.js';
export { isIdentityKey, normaliseIdentityKey } from './identity-key.js';
export { DEFAULT_JSON_LIMITS, findExceededJsonLimit, type JsonLimits } from './json-limits.js';
export { createKeys, type DataToSign, type KeyDerivation, type Keys } from './keys.js';
export { READ_COST_MS_PER_BYTE } from './read-cost.js';
