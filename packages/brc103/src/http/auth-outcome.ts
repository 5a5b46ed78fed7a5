import {
  AuthFailedError,
  BodyTooLargeError,
  MalformedAuthError,
  SessionNotFoundError,
  UnauthorizedError,
  UnsupportedEncodingError,
} from '../errors.js';

/** The result of one request or handshake. */
export type AuthOutcome =
  /** The request was authenticated. */
  | 'ok'
  /** The handshake was answered. */
  | 'handshake'
  /** The request had no auth headers. */
  | 'unauthorized'
  /** A header, a nonce or the handshake was not well-formed. */
  | 'malformed'
  /** The signature did not verify. */
  | 'failed'
  /** The session was unknown, too old, or not stored any more. Clients repeat the handshake. */
  | 'session_not_found'
  /** `claimRequest` returned false. */
  | 'replayed'
  /** The body was larger than the limit. */
  | 'too_large'
  /** The body had a content-encoding. */
  | 'unsupported_encoding'
  /** The client closed the connection before it was answered. */
  | 'aborted'
  /** Another error was thrown, for example by `claimRequest`. */
  | 'error';

/** The outcome of a request that failed with this error. */
export function toAuthOutcome(error: unknown): AuthOutcome {
  if (error instanceof UnauthorizedError) return 'unauthorized';
  if (error instanceof MalformedAuthError) return 'malformed';
  if (error instanceof SessionNotFoundError) return 'session_not_found';
  if (error instanceof AuthFailedError) return 'failed';
  if (error instanceof BodyTooLargeError) return 'too_large';
  if (error instanceof UnsupportedEncodingError) return 'unsupported_encoding';
  return 'error';
}
