import { randomBytes } from 'node:crypto';
import { decodeBase64 } from './bytes.js';
import { MAX_CLIENT_NONCE_BYTES, MIN_CLIENT_NONCE_BYTES } from './client-nonce.js';
import type { Curve } from './curve/curve.js';
import { AuthFailedError, MalformedAuthError, SessionNotFoundError } from './errors.js';
import { parseInitialRequest } from './handshake.js';
import { createKeys, type DataToSign, type KeyDerivation } from './keys.js';
import { createSessionNonceCodec } from './session-nonce.js';

/** The argument of {@link createAuthenticator}. */
export interface AuthenticatorOptions {
  /** The server's root private key, 32 bytes. */
  readonly privateKey: Uint8Array;
  /**
   * Secrets of 32 bytes or more, from which the keys that authenticate session nonces are derived. New nonces are made with
   * the first secret; every secret verifies. To rotate: append the new secret on every instance, then move it to the front on
   * every instance, and drop the old one when no session made with it is accepted any more. Putting a new secret first at
   * once would make nonces that the other instances can't verify. Default: the private key (the MAC key is derived from it
   * by HKDF).
   */
  readonly sessionSecrets?: readonly Uint8Array[];
  /** The curve arithmetic, usually `loadCurve()`. */
  readonly curve: Curve;
  /** Returns milliseconds since the epoch. Tests pass a clock of their own. Default: `Date.now`. */
  readonly now?: () => number;
  /** How long a session nonce is accepted over HTTP. Milliseconds. Default: 3,600,000 (1 hour). */
  readonly sessionLifetimeMs?: number;
}

/** A session as its verified nonce describes it: enough to verify the client's messages, but not to sign replies. */
export interface IssuedSession {
  /** The server's session nonce: base64 of 48 bytes. */
  readonly nonce: string;
  /** The random part of the nonce, 16 bytes. The client's own nonce is stored under it. */
  readonly handle: Buffer;
  /** The client's identity key: 66 lower-case hex characters. */
  readonly identityKey: string;
  /** When the nonce was issued. Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/** A session whose client nonce is known, so that messages to the client can be signed under it. */
export interface Session extends IssuedSession {
  /** The client's own session nonce, canonical base64. */
  readonly clientNonce: string;
}

/** The `initialResponse` of BRC-103: the JSON body of an HTTP response, or a frame on a socket. */
export interface InitialResponse {
  readonly version: '0.1';
  readonly messageType: 'initialResponse';
  readonly identityKey: string;
  readonly initialNonce: string;
  readonly yourNonce: string;
  readonly requestedCertificates: { readonly certifiers: readonly []; readonly types: Readonly<Record<string, never>> };
  /** DER, one number per byte. */
  readonly signature: number[];
}

/**
 * The server side of BRC-103, independent of a transport. An authenticator stores no sessions: two authenticators with the
 * same private key and session secrets verify the messages of each other's clients. A reply also needs the client's own
 * nonce, which the transports store. Every method is synchronous. The only state is a bounded cache of shared secrets.
 */
export interface Authenticator {
  /** This server's identity key: 66 lower-case hex characters. */
  readonly identityKey: string;
  /** How long a session nonce is accepted over HTTP. Milliseconds. */
  readonly sessionLifetimeMs: number;

  /**
   * Answers an `initialRequest`: issues a session nonce and signs it. This does not authenticate the client; its first
   * general message does.
   *
   * @param message the request as parsed from JSON, unchecked
   * @returns the response, and the session that begins with it
   * @throws {MalformedAuthError} when the message is not an `initialRequest` within the limits
   * @throws {AuthFailedError} when the request names this server's own identity, because a response to oneself could be
   *   sent back as a request from oneself
   */
  answerHandshake(message: unknown): { response: InitialResponse; session: Session };

  /**
   * Verifies a session nonce. Does not check its age; see {@link getAgeMs}.
   *
   * @param nonce base64 of 48 bytes
   * @param identityKey the client that presents the nonce, 66 lower-case hex characters
   * @throws {SessionNotFoundError} when no session secret has issued the nonce to that identity, when that identity is the
   *   server's own, or when the nonce was issued more than 60 s in the future
   */
  verifySessionNonce(nonce: string, identityKey: string): IssuedSession;

  /** Milliseconds since the session's nonce was issued. Negative when the clock of the instance that issued it is ahead. */
  getAgeMs(session: Pick<IssuedSession, 'issuedAt'>): number;

  /**
   * Issues a session nonce for an `initialRequest` that the server sends: a challenge or a refresh on a socket.
   *
   * @param identityKey the client, 66 lower-case hex characters
   */
  mintSession(identityKey: string): IssuedSession;

  /**
   * Verifies a general message (BRC-103): the signature over `payload` under the key id `${nonce} ${session.nonce}`.
   *
   * @param nonce the message's own nonce, as sent
   * @param signature DER, as sent
   * @throws {MalformedAuthError} when `nonce` isn't canonical base64 of 16 to 128 bytes
   * @throws {AuthFailedError} when the signature isn't the session identity's
   */
  verifyGeneral(session: IssuedSession, nonce: string, payload: DataToSign, signature: Uint8Array): void;

  /**
   * Signs a general message (BRC-103) for the session's client, under the key id `${nonce} ${session.clientNonce}`.
   *
   * @returns a new nonce (base64 of 32 bytes), and the signature in DER
   */
  signGeneral(session: Omit<Session, 'handle'>, payload: DataToSign): { nonce: string; signature: Uint8Array };

  /**
   * Verifies the client's `initialResponse` to an `initialRequest` of this server whose nonce was `session.nonce`. This
   * proves that the client holds the identity's private key now.
   *
   * @param clientNonce the response's `initialNonce`
   * @param signature DER, as sent
   * @throws {MalformedAuthError} when `clientNonce` isn't canonical base64 of 16 to 128 bytes
   * @throws {AuthFailedError} when the signature isn't the session identity's
   */
  verifyInitialResponse(session: IssuedSession, clientNonce: string, signature: Uint8Array): void;
}

/** How far ahead the clock of the instance that issued a nonce may be. Milliseconds. */
export const MAX_CLOCK_SKEW_MS = 60_000;

const DEFAULT_SESSION_LIFETIME_MS = 3_600_000;

/**
 * Adds the client's nonce to an issued session. Sockets keep the result, so it names each property: in V8 an object that is
 * made by spreading another one has a shape of its own, of 216 bytes.
 */
export function addClientNonce(session: IssuedSession, clientNonce: string): Session {
  const { nonce, handle, identityKey, issuedAt } = session;
  return { nonce, handle, identityKey, issuedAt, clientNonce };
}

/**
 * Creates the server side of BRC-103.
 *
 * @throws {Error} for an invalid private key, an empty list of session secrets, a secret of fewer than 32 bytes, or a
 *   session lifetime that is not a positive number
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { curve, now = Date.now, sessionLifetimeMs = DEFAULT_SESSION_LIFETIME_MS } = options;
  if (!(sessionLifetimeMs > 0)) throw new Error('sessionLifetimeMs must be a positive number of milliseconds');
  const keys = createKeys(options.privateKey, curve);
  const nonces = createSessionNonceCodec(options.sessionSecrets ?? [options.privateKey], keys.identityKey);

  const mintSession = (identityKey: string): IssuedSession => {
    const { nonce, handle, issuedAt } = nonces.mint(identityKey, Math.floor(now()));
    return { nonce, handle, identityKey, issuedAt };
  };

  function verify(session: IssuedSession, keyID: string, data: DataToSign, signature: Uint8Array): void {
    if (!keys.verify(data, signature, createAuthKeyDerivation(session.identityKey, keyID))) {
      throw new AuthFailedError('The signature is not valid for this session');
    }
  }

  return {
    identityKey: keys.identityKey,
    sessionLifetimeMs,

    answerHandshake(message) {
      const request = parseInitialRequest(message, curve);
      if (request.identityKey === keys.identityKey) {
        throw new AuthFailedError("The server's own identity is not accepted as a client");
      }
      const session = addClientNonce(mintSession(request.identityKey), request.initialNonce);
      const data = joinNonces(session.clientNonce, session.nonce);
      const use = createAuthKeyDerivation(session.identityKey, `${session.clientNonce} ${session.nonce}`);
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

    verifySessionNonce(nonce, identityKey) {
      if (identityKey === keys.identityKey) throw new SessionNotFoundError();
      const content = nonces.verify(nonce, identityKey);
      if (content.issuedAt - now() > MAX_CLOCK_SKEW_MS) throw new SessionNotFoundError();
      return { nonce, identityKey, ...content };
    },

    getAgeMs: (session) => now() - session.issuedAt,

    mintSession,

    verifyGeneral(session, nonce, payload, signature) {
      requireNonce(nonce);
      verify(session, `${nonce} ${session.nonce}`, payload, signature);
    },

    signGeneral(session, payload) {
      const nonce = randomBytes(32).toString('base64');
      const use = createAuthKeyDerivation(session.identityKey, `${nonce} ${session.clientNonce}`);
      return { nonce, signature: keys.sign(payload, use) };
    },

    verifyInitialResponse(session, clientNonce, signature) {
      requireNonce(clientNonce);
      verify(session, `${session.nonce} ${clientNonce}`, joinNonces(session.nonce, clientNonce), signature);
    },
  };
}

/** The key derivation of all signatures in BRC-103. */
function createAuthKeyDerivation(counterparty: string, keyID: string): KeyDerivation {
  return { securityLevel: 2, protocol: 'auth message signature', keyID, counterparty };
}

function joinNonces(first: string, second: string): Buffer {
  return Buffer.concat([Buffer.from(first, 'base64'), Buffer.from(second, 'base64')]);
}

function requireNonce(nonce: unknown): void {
  if (!decodeBase64(nonce, MIN_CLIENT_NONCE_BYTES, MAX_CLIENT_NONCE_BYTES)) {
    throw new MalformedAuthError('A nonce must be canonical base64 of 16 to 128 bytes');
  }
}
