/**
 * The base class of all errors that authentication reports to a client. `status` is the HTTP status. The client sees `code`
 * and `message`, so neither contains a secret or repeats the input.
 */
export class AuthError extends Error {
  override readonly name: string = 'AuthError';
  constructor(
    readonly code: AuthErrorCode,
    message: string,
    readonly status: 400 | 401 | 413 | 415 | 431,
    /** More fields of the answer, for programs. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** The codes of {@link AuthError}. */
export type AuthErrorCode =
  /** The request has no auth headers. */
  | 'UNAUTHORIZED'
  /** A header, frame or handshake message has the wrong type, size or encoding, or was sent twice. */
  | 'ERR_AUTH_MALFORMED'
  /** The message is well-formed, but the signature does not verify, or the session is unknown or has expired. */
  | 'ERR_AUTH_FAILED'
  /** The request body is larger than the limit. */
  | 'ERR_BODY_TOO_LARGE'
  /** The request body has a content-encoding. The signature covers the bytes as sent, so they must not be encoded. */
  | 'ERR_UNSUPPORTED_ENCODING';

/** The request has no auth headers. HTTP status 401. */
export class UnauthorizedError extends AuthError {
  override readonly name = 'UnauthorizedError';
  constructor() {
    super('UNAUTHORIZED', 'Mutual-authentication failed!', 401);
  }
}

/** A message that is not valid BRC-103 or BRC-104. HTTP status 400. */
export class MalformedAuthError extends AuthError {
  override readonly name = 'MalformedAuthError';
  constructor(message: string) {
    super('ERR_AUTH_MALFORMED', message, 400);
  }
}

/** A signature, identity or nonce that does not verify. HTTP status 401. */
export class AuthFailedError extends AuthError {
  override readonly name = 'AuthFailedError';
  constructor(message: string) {
    super('ERR_AUTH_FAILED', message, 401);
  }
}

/**
 * The session nonce was not issued by this server, or is too old. HTTP status 401. `AuthFetch` repeats the handshake when it
 * reads `Session not found for nonce` or an unsigned 401.
 */
export class SessionNotFoundError extends AuthError {
  override readonly name = 'SessionNotFoundError';
  constructor() {
    super('ERR_AUTH_FAILED', 'Session not found for nonce', 401);
  }
}

/** The request body is larger than the limit. HTTP status 413. */
export class BodyTooLargeError extends AuthError {
  override readonly name = 'BodyTooLargeError';
  /**
   * @param limit the limit in bytes
   * @param size the bytes of the body; undefined when the client has not announced them
   * @param setting the name of the setting that the limit comes from, for the description
   */
  constructor(limit: number, size?: number, setting?: string) {
    const has = size === undefined ? 'is larger than the limit, which is' : `has ${format(size)} bytes; the limit is`;
    const details = { field: 'requestBody', limit, ...(size === undefined ? {} : { size }) };
    super(
      'ERR_BODY_TOO_LARGE',
      `The request body ${has} ${format(limit)}${setting === undefined ? ' bytes.' : ` (${setting}).`}`,
      413,
      details,
    );
  }
}

function format(bytes: number): string {
  return bytes.toLocaleString('en-US');
}

/** The request body has a content-encoding. HTTP status 415. */
export class UnsupportedEncodingError extends AuthError {
  override readonly name = 'UnsupportedEncodingError';
  constructor() {
    super('ERR_UNSUPPORTED_ENCODING', 'Send the request body without content-encoding', 415);
  }
}
