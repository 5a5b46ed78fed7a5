/**
 * Why authentication refused something. `status` is what HTTP answers; `code` and `message` are shown to the client,
 * so neither may hold a secret or an echo of the input.
 */
export class AuthError extends Error {
  override readonly name: string = 'AuthError';
  constructor(
    readonly code: AuthErrorCode,
    message: string,
    readonly status: 400 | 401 | 413 | 415 | 431,
  ) {
    super(message);
  }
}

export type AuthErrorCode =
  /** No auth headers at all. */
  | 'UNAUTHORIZED'
  /** A header, frame or handshake message that can't be read: wrong type, size, encoding, duplicate. */
  | 'ERR_AUTH_MALFORMED'
  /** Well-formed, but not proven: signature, identity or nonce don't agree, or the session isn't ours or has expired. */
  | 'ERR_AUTH_FAILED'
  /** A request body above the limit. */
  | 'ERR_BODY_TOO_LARGE'
  /** A request body with a content-encoding: the signature covers the bytes as sent, so they must be the plain ones. */
  | 'ERR_UNSUPPORTED_ENCODING';

/** No auth headers at all: answered with 401. */
export class UnauthorizedError extends AuthError {
  override readonly name = 'UnauthorizedError';
  constructor() {
    super('UNAUTHORIZED', 'Mutual-authentication failed!', 401);
  }
}

/** Something that can't be read as BRC-103: answered with 400. */
export class MalformedAuthError extends AuthError {
  override readonly name = 'MalformedAuthError';
  constructor(message: string) {
    super('ERR_AUTH_MALFORMED', message, 400);
  }
}

/** A claim that was not proven: answered with 401. */
export class AuthFailedError extends AuthError {
  override readonly name = 'AuthFailedError';
  constructor(message: string) {
    super('ERR_AUTH_FAILED', message, 401);
  }
}

/**
 * The nonce isn't one of ours, or is too old: answered with 401. `AuthFetch` shakes hands again when it reads
 * `Session not found for nonce` or an unsigned 401.
 */
export class SessionNotFoundError extends AuthError {
  override readonly name = 'SessionNotFoundError';
  constructor() {
    super('ERR_AUTH_FAILED', 'Session not found for nonce', 401);
  }
}

/** A request body above the limit: answered with 413. */
export class BodyTooLargeError extends AuthError {
  override readonly name = 'BodyTooLargeError';
  /** @param limit bytes */
  constructor(limit: number) {
    super('ERR_BODY_TOO_LARGE', `The request body is larger than ${limit} bytes`, 413);
  }
}

/** A request body with a content-encoding: answered with 415. */
export class UnsupportedEncodingError extends AuthError {
  override readonly name = 'UnsupportedEncodingError';
  constructor() {
    super('ERR_UNSUPPORTED_ENCODING', 'Send the request body without content-encoding', 415);
  }
}
