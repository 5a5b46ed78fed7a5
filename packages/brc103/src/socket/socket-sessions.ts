import type { Session } from '../authenticator.js';

/** A session without what only the store of HTTP sessions needs. There is one for each idle socket. */
export type SocketSession = Omit<Session, 'handle'>;

/** How many handshakes of one connection are remembered. As many may be in progress at once. */
const MAX_REMEMBERED_HANDSHAKES = 32;
/** Clients forget a session that was idle for 30 minutes. The margin is for frames that are on the way. */
const CLIENT_IDLE_TIMEOUT_MS = 25 * 60_000;
/** Clients accept 100,000 messages in one session. The session is renewed after half of them. */
const DEFAULT_MAX_FRAMES_PER_SESSION = 50_000;

interface RememberedHandshake {
  readonly session: SocketSession;
  readonly order: number;
}

/**
 * The sessions of one connection: those that the client has begun on it, with the client's nonces, and the one that signs.
 *
 * A session signs only after the client has used it, because clients refuse messages in a session whose handshake is not
 * complete.
 */
export class SocketSessions {
  /** Oldest first. An array, as that is smaller than a map. Most connections have one entry. */
  #handshakes: readonly RememberedHandshake[] = [];
  #signingSession: SocketSession | undefined;
  #signingOrder = 0;
  #order = 0;
  #signedFrames = 0;
  /** When the client last showed that it knows the signing session. Milliseconds since the epoch. */
  #confirmedAt = 0;

  /** @param maxFramesPerSession how many frames a session signs before it is renewed */
  constructor(private readonly maxFramesPerSession = DEFAULT_MAX_FRAMES_PER_SESSION) {}

  /** The session that signs. Undefined until the client has used one. */
  get signingSession(): SocketSession | undefined {
    return this.#signingSession;
  }

  /** Remembers a handshake that was answered on this connection. */
  remember(session: Session): void {
    this.#order += 1;
    const others = this.#handshakes.slice(1 - MAX_REMEMBERED_HANDSHAKES);
    this.#handshakes = others.concat({ session: withoutHandle(session), order: this.#order });
  }

  /**
   * Records that the client has signed a message with this session nonce.
   *
   * @returns whether the nonce was issued on this connection. Then the message proves the client's identity
   */
  recordUse(nonce: string, now: number): boolean {
    if (nonce === this.#signingSession?.nonce) this.#confirmedAt = now;
    const handshake = this.#handshakes.find(({ session }) => session.nonce === nonce);
    if (handshake === undefined) return false;
    if (handshake.order > this.#signingOrder) this.#setSigningSession(handshake.session, handshake.order, now);
    return true;
  }

  /**
   * Makes a session sign from now on, after the client has answered an initialRequest.
   *
   * @param askedAt when the initialRequest was sent. The client's session is not older
   */
  replaceSigningSession(session: Session, askedAt: number): void {
    this.#order += 1;
    this.#setSigningSession(withoutHandle(session), this.#order, askedAt);
  }

  /** Returns the session to sign one more frame in, or undefined when the client may have forgotten it. */
  takeSigningSession(now: number): SocketSession | undefined {
    if (this.#signingSession === undefined || now - this.#confirmedAt >= CLIENT_IDLE_TIMEOUT_MS) return undefined;
    this.#signedFrames += 1;
    // The frame renews the session in the client.
    this.#confirmedAt = Math.max(now, this.#confirmedAt);
    return this.#signingSession;
  }

  /** Whether the signing session has signed so many frames that it must be renewed. */
  get needsRenewal(): boolean {
    return this.#signedFrames >= this.maxFramesPerSession;
  }

  #setSigningSession(session: SocketSession, order: number, knownAt: number): void {
    this.#signingSession = session;
    this.#signingOrder = order;
    this.#signedFrames = 0;
    this.#confirmedAt = knownAt;
  }
}

function withoutHandle({ nonce, clientNonce, identityKey, issuedAt }: Session): SocketSession {
  return { nonce, clientNonce, identityKey, issuedAt };
}
