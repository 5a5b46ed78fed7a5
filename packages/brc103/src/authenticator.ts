import { randomBytes } from 'node:crypto';
import { decodeBase64 } from './bytes.js';
import { MAX_CLIENT_NONCE_BYTES, MIN_CLIENT_NONCE_BYTES } from './client-nonce.js';
import type { Curve } from './curve/curve.js';
import { AuthFailedError, MalformedAuthError, SessionNotFoundError } from './errors.js';
import { readInitialRequest } from './handshake.js';
import { createKeys, type DataToSign, type KeyUse } from './keys.js';
import { createSessionNonces } from './session-nonce.js';

export interface AuthenticatorOptions {
  /** The server's root private key, 32 bytes. */
  readonly privateKey: Uint8Array;
  /**
   * Secrets, of 32 bytes or more, behind the keys that authenticate session nonces; the first mints, all verify. To
   * rotate, put a new one first everywhere and drop the old one when `sessionLifeMs` has passed. Default: one, the private
   * key itself (the MAC key is derived from it by HKDF).
   */
  readonly sessionSecrets?: readonly Uint8Array[];
  readonly curve: Curve;
  /** Milliseconds since the epoch; injected so that tests own the time. Default `Date.now`. */
  readonly now?: () => number;
  /** How long a session nonce is good for, over HTTP. Milliseconds; default 1 hour. */
  readonly sessionLifeMs?: number;
}

/** A session as its authentic nonce describes it: enough to verify the client's messages, not to answer them. */
export interface OpenSession {
  /** The server's nonce itself: base64 of 48 bytes. */
  readonly nonce: string;
  /** The nonce's random part, 16 bytes: the name under which the client's own nonce is kept. */
  readonly handle: Buffer;
  /** The client, 66 lower-case hex characters. */
  readonly identityKey: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/** A session whose client nonce is known as well, so that messages to the client can be signed under it. */
export interface Session extends OpenSession {
  /** The client's own session nonce, canonical base64. */
  readonly clientNonce: string;
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

/**
 * The transport-free heart of BRC-103 for a server. It keeps no sessions: any two authenticators with the same private
 * key and session secrets verify the messages of each other's clients. To answer them the client's own nonce is needed
 * too, which the transports keep. Nothing here waits, and nothing is remembered but a bounded cache of shared secrets.
 */
export interface Authenticator {
  /** This server's identity key, 66 lower-case hex characters. */
  readonly identityKey: string;
  readonly sessionLifeMs: number;

  /**
   * Answers a client's initialRequest: mints a session nonce and signs it. The client has proven nothing yet; it does so
   * with its first general message.
   * @param message whatever arrived, as parsed from JSON
   * @returns the response, and the session that it begins
   * @throws {MalformedAuthError} for anything that isn't an initialRequest within limits
   * @throws {AuthFailedError} when the request names this server's own identity: an answer signed for oneself could be
   *   sent back as a request of oneself
   */
  answerHandshake(message: unknown): { response: InitialResponse; session: Session };

  /**
   * Verifies a session nonce, whatever its age.
   * @param identityKey the client that presents it, 66 lower-case hex characters
   * @throws {SessionNotFoundError} when none of our keys has issued it to that identity, when that identity is our own,
   *   or when it was issued over 60 s in the future
   */
  openSession(nonce: string, identityKey: string): OpenSession;

  /** Milliseconds since this session's nonce was minted; negative when another instance's clock is ahead. */
  age(session: OpenSession): number;

  /**
   * Mints a session nonce for an initialRequest of ours: a challenge or a refresh on a socket.
   * @param identityKey the client, 66 lower-case hex characters
   */
  mintSession(identityKey: string): OpenSession;

  /**
   * Verifies a general message: signature over `payload` under keyID `${nonce} ${session.nonce}`.
   * @param nonce the message's own nonce, as sent
   * @param signature DER, as sent
   * @throws {MalformedAuthError} when `nonce` isn't canonical base64 of 16 to 128 bytes
   * @throws {AuthFailedError} when the signature isn't the session identity's
   */
  verifyGeneral(session: OpenSession, nonce: string, payload: DataToSign, signature: Uint8Array): void;

  /** Signs `payload` for the session's client: fresh 32-byte nonce, keyID `${nonce} ${session.clientNonce}`. DER signature. */
  signGeneral(session: Session, payload: DataToSign): { nonce: string; signature: Uint8Array };

  /**
   * Verifies the client's initialResponse to an initialRequest of ours whose nonce was `session.nonce`: proof that who
   * answers holds the identity's key now. `clientNonce` is the response's `initialNonce`.
   * @throws {MalformedAuthError} when `clientNonce` isn't canonical base64 of 16 to 128 bytes
   * @throws {AuthFailedError} when the signature isn't the session identity's
   */
  verifyInitialResponse(session: OpenSession, clientNonce: string, signature: Uint8Array): void;
}

/** How far ahead the clock of the instance that minted a nonce may be, milliseconds. */
export const MAX_CLOCK_SKEW_MS = 60_000;

const DEFAULT_SESSION_LIFE_MS = 3_600_000;

/**
 * @throws {Error} for an invalid private key, an empty list of session secrets or a short one, or a session life that
 * isn't a positive number
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { curve, now = Date.now, sessionLifeMs = DEFAULT_SESSION_LIFE_MS } = options;
  if (!(sessionLifeMs > 0)) throw new Error('sessionLifeMs is a positive number of milliseconds');
  const keys = createKeys(options.privateKey, curve);
  const nonces = createSessionNonces(options.sessionSecrets ?? [options.privateKey], keys.identityKey);

  const mint = (identityKey: string): OpenSession => ({ identityKey, ...nonces.mint(identityKey, Math.floor(now())) });

  function verify(session: OpenSession, keyID: string, data: DataToSign, signature: Uint8Array): void {
    if (!keys.verify(data, signature, authKey(session.identityKey, keyID))) {
      throw new AuthFailedError('The signature is not valid for this session');
    }
  }

  return {
    identityKey: keys.identityKey,
    sessionLifeMs,

    answerHandshake(message) {
      const request = readInitialRequest(message, curve);
      if (request.identityKey === keys.identityKey) {
        throw new AuthFailedError("The server's own identity is not accepted as a client");
      }
      const session: Session = { ...mint(request.identityKey), clientNonce: request.initialNonce };
      const data = joinNonces(session.clientNonce, session.nonce);
      const use = authKey(session.identityKey, `${session.clientNonce} ${session.nonce}`);
      const response: InitialResponse = {
        version: '0.1',
        messageType: 'initialResponse',
        identityKey: keys.identityKey,
        initialNonce: session.nonce,
        yourNonce: session.clientNonce,
        requestedCertificates: { certifiers: [], types: {} },
        signature: Array.from(keys.sign(data, use)),
      };
      return { response, session };
    },

    openSession(nonce, identityKey) {
      if (identityKey === keys.identityKey) throw new SessionNotFoundError();
      const content = nonces.open(nonce, identityKey);
      if (content.issuedAt - now() > MAX_CLOCK_SKEW_MS) throw new SessionNotFoundError();
      return { nonce, identityKey, ...content };
    },

    age: (session) => now() - session.issuedAt,

    mintSession: mint,

    verifyGeneral(session, nonce, payload, signature) {
      requireNonce(nonce);
      verify(session, `${nonce} ${session.nonce}`, payload, signature);
    },

    signGeneral(session, payload) {
      const nonce = randomBytes(32).toString('base64');
      const use = authKey(session.identityKey, `${nonce} ${session.clientNonce}`);
      return { nonce, signature: keys.sign(payload, use) };
    },

    verifyInitialResponse(session, clientNonce, signature) {
      requireNonce(clientNonce);
      verify(session, `${session.nonce} ${clientNonce}`, joinNonces(session.nonce, clientNonce), signature);
    },
  };
}

/** BRC-103 signs everything under one protocol. */
function authKey(counterparty: string, keyID: string): KeyUse {
  return { securityLevel: 2, protocol: 'auth message signature', keyID, counterparty };
}

function joinNonces(first: string, second: string): Buffer {
  return Buffer.concat([Buffer.from(first, 'base64'), Buffer.from(second, 'base64')]);
}

function requireNonce(nonce: unknown): void {
  if (!decodeBase64(nonce, MIN_CLIENT_NONCE_BYTES, MAX_CLIENT_NONCE_BYTES)) {
    throw new MalformedAuthError('A nonce is canonical base64 of 16 to 128 bytes');
  }
}
