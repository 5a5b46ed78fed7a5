export {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  type InitialResponse,
  MAX_CLOCK_SKEW_MS,
  type OpenSession,
  type Session,
} from './authenticator.js';
export type { Curve } from './curve/curve.js';
export { loadCurve } from './curve/load-curve.js';
export * from './errors.js';
export type { ClientNonceRecord, ClientNonceStore } from './http/client-nonces.js';
export {
  type AuthMiddleware,
  type AuthMiddlewareOptions,
  type AuthOutcome,
  authErrorHandler,
  type ClaimedRequest,
  createAuthMiddleware,
  type FailureLimit,
  type RequestAuth,
  type WorkSchedule,
} from './http/middleware.js';
export { isIdentityKey, normaliseIdentityKey } from './identity-key.js';
export { excessOfJson, type JsonLimits, MAX_JSON } from './json-structure.js';
export { createKeys, type Keys, type KeyUse } from './keys.js';
export { READING_MS_PER_BYTE } from './portions.js';
export * from './socket/index.js';
