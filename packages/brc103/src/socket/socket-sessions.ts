import type { Session } from '../authenticator.js';

/** Handshakes of one connection that are remembered: those that may be under way at once, and the latest before them. */
const REMEMBERED_HANDSHAKES = 32;
/** A client forgets a session that was idle for 30 minutes; a frame may be on its way to it for a while. */
const CLIENT_FORGETS_MS = 25 * 60_000;
/** A client remembers 100,000 nonces of messages for each session, and then takes no more: half of them is early enough. */
const DEFAULT_FRAMES_PER_SESSION = 50_000;

/**
 * The sessions of one connection: those that the client has begun here, with the client's own nonces, and the one that
 * signs what is sent.
 *
 * Only a session that the client has shown to know signs: its Peer refuses a message of one that is still being made.
 */
export class SocketSessions {
  readonly #handshakes = new Map<string, { readonly session: Session; readonly order: number }>();
  #signing: Session | undefined;
  #signingOrder = 0;
  #order = 0;
  #signed = 0;
  /** When the client surely knew the signing session. */
  #knownAt = 0;

  /** @param framesPerSession signed frames after which a session is to be renewed */
  constructor(private readonly framesPerSession = DEFAULT_FRAMES_PER_SESSION) {}

  /** The session that signs. */
  get signing(): Session | undefined {
    return this.#signing;
  }

  /** Remembers a handshake that was answered on this connection. */
  remember(session: Session): void {
    this.#order += 1;
    this.#handshakes.set(session.nonce, { session, order: this.#order });
    if (this.#handshakes.size <= REMEMBERED_HANDSHAKES) return;
    const [oldest] = this.#handshakes.keys();
    if (oldest !== undefined) this.#handshakes.delete(oldest);
  }

  /**
   * The client has signed under this nonce of ours.
   *
   * @returns whether the nonce was minted on this connection, which is a proof of presence
   */
  hear(nonce: string, now: number): boolean {
    if (nonce === this.#signing?.nonce) this.#knownAt = now;
    const handshake = this.#handshakes.get(nonce);
    if (handshake === undefined) return false;
    if (handshake.order > this.#signingOrder) this.#sign(handshake.session, handshake.order, now);
    return true;
  }

  /**
   * Signs under this session from now on: the client has just answered our initialRequest.
   *
   * @param askedAt when it was asked: the client's session is not older
   */
  renew(session: Session, askedAt: number): void {
    this.#order += 1;
    this.#sign(session, this.#order, askedAt);
  }

  /**
   * The session to sign one more frame with, or undefined when the client may have forgotten it.
   */
  signNext(now: number): Session | undefined {
    if (this.#signing === undefined || now - this.#knownAt >= CLIENT_FORGETS_MS) return undefined;
    this.#signed += 1;
    // The frame itself makes the client remember the session.
    this.#knownAt = Math.max(now, this.#knownAt);
    return this.#signing;
  }

  /** Whether the signing session has signed so much that it is to be renewed. */
  get isWorn(): boolean {
    return this.#signed >= this.framesPerSession;
  }

  #sign(session: Session, order: number, knownAt: number): void {
    this.#signing = session;
    this.#signingOrder = order;
    this.#signed = 0;
    this.#knownAt = knownAt;
  }
}
