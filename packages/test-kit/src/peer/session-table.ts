import { ProtocolViolationError } from '../rules/protocol-violation-error.js';

/** A session between this client and a server. */
export interface ClientSession {
  /** The nonce that this client has made. */
  readonly ownNonce: string;
  /** The nonce that the server has made. Undefined until the handshake is complete. */
  peerNonce: string | undefined;
  /** The identity key of the server. Undefined until the handshake is answered. */
  peer: string | undefined;
  /** Whether a signature of the server was verified in this session. */
  authenticated: boolean;
  /** When the session was last used. Milliseconds since the epoch. */
  usedAt: number;
}

/** The limits of a {@link SessionTable}. */
export interface SessionLimits {
  /** How long an unused session is kept. Milliseconds. */
  readonly idleMs: number;
  readonly maxSessions: number;
  /** How many messages are accepted in one session. */
  readonly maxMessages: number;
  /** How many handshakes of one identity are remembered to detect repeated ones. */
  readonly maxHandshakes: number;
}

/** The limits of current clients. */
export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  idleMs: 30 * 60_000,
  maxSessions: 10_000,
  maxMessages: 100_000,
  maxHandshakes: 256,
};

/** The sessions of one client, with the nonces of their messages. Idle sessions are forgotten. */
export class SessionTable {
  readonly #sessions = new Map<string, ClientSession>();
  readonly #messages = new Map<string, Set<string>>();
  readonly #handshakes = new Map<string, Map<string, number>>();
  readonly #limits: SessionLimits;

  /** @param now returns milliseconds since the epoch */
  constructor(
    private readonly now: () => number = Date.now,
    limits: Partial<SessionLimits> = {},
  ) {
    this.#limits = { ...DEFAULT_SESSION_LIMITS, ...limits };
  }

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Adds a new session.
   *
   * @throws Error when the table is full of authenticated sessions
   */
  add(ownNonce: string, peer: string | undefined, peerNonce?: string): ClientSession {
    if (this.#sessions.size >= this.#limits.maxSessions) this.#makeRoom();
    const session: ClientSession = { ownNonce, peer, peerNonce, authenticated: false, usedAt: this.now() };
    this.#sessions.set(ownNonce, session);
    return session;
  }

  /** Returns the session with this nonce of the client, unless it was idle for too long. */
  get(ownNonce: string): ClientSession | undefined {
    const session = this.#sessions.get(ownNonce);
    if (session === undefined || !this.#isIdle(session)) return session;
    this.remove(ownNonce);
    return undefined;
  }

  /** Selects the session to send in: authenticated sessions come first, then the most recently used one. */
  select(peer: string): ClientSession | undefined {
    let best: ClientSession | undefined;
    for (const ownNonce of [...this.#sessions.keys()]) {
      const session = this.get(ownNonce);
      if (session === undefined || session.peer !== peer) continue;
      if (best === undefined || rankSession(session) > rankSession(best)) best = session;
      else if (rankSession(session) === rankSession(best) && session.usedAt > best.usedAt) best = session;
    }
    return best;
  }

  touch(session: ClientSession): void {
    session.usedAt = this.now();
  }

  remove(ownNonce: string): void {
    this.#sessions.delete(ownNonce);
    this.#messages.delete(ownNonce);
  }

  /**
   * Records a message whose signature was verified.
   *
   * @throws ProtocolViolationError when the message is repeated, or the session had too many messages
   */
  claimMessage(session: ClientSession, nonce: string): void {
    let known = this.#messages.get(session.ownNonce);
    if (known === undefined) {
      known = new Set();
      this.#messages.set(session.ownNonce, known);
    }
    if (known.has(nonce)) throw new ProtocolViolationError('2', 'a message was repeated');
    if (known.size >= this.#limits.maxMessages) {
      throw new ProtocolViolationError('9.14', `more than ${this.#limits.maxMessages} messages arrived in one session`);
    }
    known.add(nonce);
  }

  /**
   * Records an `initialRequest`.
   *
   * @throws ProtocolViolationError when it is repeated
   */
  claimHandshake(peer: string, nonce: string): void {
    let known = this.#handshakes.get(peer);
    if (known === undefined) {
      known = new Map();
      this.#handshakes.set(peer, known);
    }
    const before = known.get(nonce);
    if (before !== undefined && before > this.now() - this.#limits.idleMs) {
      throw new ProtocolViolationError('2', 'an initialRequest was repeated');
    }
    known.delete(nonce);
    const [oldest] = known.keys();
    if (known.size >= this.#limits.maxHandshakes && oldest !== undefined) known.delete(oldest);
    known.set(nonce, this.now());
  }

  #isIdle({ usedAt }: ClientSession): boolean {
    return usedAt <= this.now() - this.#limits.idleMs;
  }

  /** Removes the least recently used session that is not authenticated. */
  #makeRoom(): void {
    for (const ownNonce of [...this.#sessions.keys()]) this.get(ownNonce);
    if (this.#sessions.size < this.#limits.maxSessions) return;
    let last: ClientSession | undefined;
    for (const session of this.#sessions.values()) {
      if (!session.authenticated && (last === undefined || session.usedAt < last.usedAt)) last = session;
    }
    if (last === undefined) throw new Error('The client has no room for another session.');
    this.remove(last.ownNonce);
  }
}

const rankSession = ({ authenticated }: ClientSession): number => (authenticated ? 1 : 0);
