// CONTRACT (to be implemented): the transport-free heart of BRC-103 for a server.
import type { Curve } from './curve/curve.js';

export interface AuthenticatorOptions {
  /** The server's root private key, 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Keys that seal session nonces; the first mints, all open. Default: derived from `privateKey` by HKDF. */
  readonly sessionSecrets?: readonly Uint8Array[];
  readonly curve: Curve;
  /** Milliseconds since the epoch; injected so that tests own the time. Default `Date.now`. */
  readonly now?: () => number;
  /** How long a session nonce is good for, over HTTP. Default 1 hour. */
  readonly sessionLifeMs?: number;
}

/** What an authentic session nonce says. */
export interface Session {
  /** The server's nonce itself, as base64. */
  readonly nonce: string;
  /** The client, 66 lower-case hex characters. */
  readonly identityKey: string;
  /** The client's own session nonce, canonical base64. */
  readonly clientNonce: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/** BRC-103 initialResponse as it goes out, on HTTP as JSON and on a socket as a frame. */
export interface InitialResponse {
  readonly version: '0.1';
  readonly messageType: 'initialResponse';
  readonly identityKey: string;
  readonly initialNonce: string;
  readonly yourNonce: string;
  readonly requestedCertificates: { readonly certifiers: readonly []; readonly types: Readonly<Record<string, never>> };
  readonly signature: number[];
}

export interface Authenticator {
  /** This server's identity key, 66 lower-case hex characters. */
  readonly identityKey: string;
  readonly sessionLifeMs: number;

  /**
   * Answers a client's initialRequest: mints a sealed nonce and signs it.
   * @returns the response, and the session that its nonce seals
   * @throws {MalformedAuthError} for anything that isn't an initialRequest within limits
   */
  answerHandshake(message: unknown): { response: InitialResponse; session: Session };

  /**
   * Opens a session nonce, whatever its age.
   * @throws {SessionNotFoundError} not sealed by any of our keys for this server identity, or issued over 60 s in the future
   */
  openSession(nonce: string): Session;

  /** Milliseconds since this session's nonce was minted; negative when another instance's clock is ahead. */
  age(session: Session): number;

  /** Mints a fresh nonce for the same client identity and client nonce: what a refresh on a socket hands out. */
  renewSession(session: Session): Session;

  /**
   * Verifies a general message: signature over `payload` under keyID `${nonce} ${session.nonce}`.
   * @throws {AuthFailedError} when the signature isn't the session identity's
   */
  verifyGeneral(session: Session, nonce: string, payload: Uint8Array, signature: Uint8Array): void;

  /** Signs `payload` for the session's client: fresh 32-byte nonce, keyID `${nonce} ${session.clientNonce}`. DER signature. */
  signGeneral(session: Session, payload: Uint8Array): { nonce: string; signature: Uint8Array };

  /**
   * Verifies the client's initialResponse to an initialRequest of ours whose nonce was `session.nonce`: proof that who
   * answers holds the identity's key now. `clientNonce` is the response's `initialNonce`.
   * @throws {AuthFailedError}
   */
  verifyInitialResponse(session: Session, clientNonce: string, signature: Uint8Array): void;
}
