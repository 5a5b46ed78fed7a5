/** A client's session nonce in a {@link ClientNonceStore}. */
export interface ClientNonceRecord {
  /** Canonical base64. */
  readonly clientNonce: string;
  /** Whether the client has signed a request in this session. */
  readonly proven: boolean;
  /** When the session ends. A later change of the settings does not move it. */
  readonly expiresAt: Date;
}

/**
 * Stores client nonces for all instances, for example in a database. A lost record costs its client one more handshake and
 * nothing else.
 */
export interface ClientNonceStore {
  /**
   * Stores the client nonce of a new session. Its client has not signed a request yet.
   *
   * @param handle `IssuedSession.handle`, 16 bytes
   * @param clientNonce canonical base64
   * @returns resolves when every instance can find the record
   */
  insert(handle: Uint8Array, clientNonce: string, expiresAt: Date): Promise<void>;
  /** Finds a record. Returns undefined when there is none. */
  find(handle: Uint8Array): Promise<ClientNonceRecord | undefined>;
  /**
   * Marks a session as proven and keeps its record until `expiresAt`. A session that is proven already stays unchanged.
   *
   * @returns false when this call may not have changed the record; then the record's own `expiresAt` holds
   */
  markProven(handle: Uint8Array, expiresAt: Date): Promise<boolean>;
}
