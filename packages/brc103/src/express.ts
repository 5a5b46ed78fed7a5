/** BRC-103 and BRC-104 (mutual authentication over HTTP) for Express 5. Needs `express`, and its types for TypeScript. */

export { authErrorHandler } from './http/auth-error-handler.js';
export {
  type AuthMiddleware,
  type AuthMiddlewareOptions,
  createAuthMiddleware,
  type RequestAuth,
  type RouteKind,
} from './http/auth-middleware.js';
export type { AuthOutcome } from './http/auth-outcome.js';
export type { ClaimedRequest } from './http/claimed-request.js';
export type { ClientNonceRecord, ClientNonceStore } from './http/client-nonce-store.js';
export type { FailureLimit } from './http/failure-limit.js';
export type { StandInClaim, StandInSessions } from './http/stand-in-sessions.js';
export type { WorkSchedule } from './http/work-schedule.js';
