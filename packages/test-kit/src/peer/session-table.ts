import { ProtocolViolation } from '../rules/protocol-violation.js';

/** A session between this client and a server. */
export interface ClientSession {
  /** The nonce that this client made for it. */
  readonly ownNonce: string;
  /** The nonce that the server made for it; none before the handshake is complete. */
  peerNonce: string | undefined;
  /** Who the server is; none until somebody has answered. */
  peer: string | undefined;
  /** Whether a signature of the server has been verified under it. */
  authenticated: boolean;
  /** When it was used last, in milliseconds. */
  usedAt: number;
}

export interface SessionLimits {
  /** How long a session is kept that is not used, in milliseconds. */
  readonly idleMs: number;
  readonly maxSessions: number;
  /** How many messages are taken under one session. */
  readonly maxMessages: number;
  /** How many handshakes of one identity are remembered, so that none is answered twice. */
  readonly maxHandshakes: number;
}

/** What today's clients keep. */
export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  idleMs: 30 * 60_000,
  maxSessions: 10_000,
  maxMessages: 100_000,
  maxHandshakes: 256,
};

/** The sessions of one client, and what came under them. Sessions that nobody has used for a while are gone. */
export class SessionTable {
  readonly #sessions = new Map<string, ClientSession>();
  readonly #messages = new Map<string, Set<string>>();
  readonly #handshakes = new Map<string, Map<string, number>>();
  readonly #limits: SessionLimits;

  /** @param now the time in milliseconds */
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
   * Adds a session that has just been made.
   * @throws Error when all places are taken by sessions that are authenticated
   */
  add(ownNonce: string, peer: string | undefined, peerNonce?: string): ClientSession {
    if (this.#sessions.size >= this.#limits.maxSessions) this.#makeRoom();
    const session: ClientSession = { ownNonce, peer, peerNonce, authenticated: false, usedAt: this.now() };
    this.#sessions.set(ownNonce, session);
    return session;
  }

  /** The session of a nonce that this client made, unless it has been idle for too long. */
  get(ownNonce: string): ClientSession | undefined {
    const session = this.#sessions.get(ownNonce);
    if (session === undefined || !this.#isIdle(session)) return session;
    this.remove(ownNonce);
    return undefined;
  }

  /** The session to send by: one that is authenticated before one that is not, then the one that was used last. */
  select(peer: string): ClientSession | undefined {
    let best: ClientSession | undefined;
    for (const ownNonce of [...this.#sessions.keys()]) {
      const session = this.get(ownNonce);
      if (session === undefined || session.peer !== peer) continue;
      if (best === undefined || rank(session) > rank(best)) best = session;
      else if (rank(session) === rank(best) && session.usedAt > best.usedAt) best = session;
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
   * Takes note of a message whose signature is good.
   * @throws ProtocolViolation when it came before, or when there have been too many under its session
   */
  claimMessage(session: ClientSession, nonce: string): void {
    let known = this.#messages.get(session.ownNonce);
    if (known === undefined) {
      known = new Set();
      this.#messages.set(session.ownNonce, known);
    }
    if (known.has(nonce)) throw new ProtocolViolation('2', 'a message came a second time');
    if (known.size >= this.#limits.maxMessages) {
      throw new ProtocolViolation('9.14', `more than ${this.#limits.maxMessages} messages came under one session`);
    }
    known.add(nonce);
  }

  /**
   * Takes note of an `initialRequest`.
   * @throws ProtocolViolation when it came before
   */
  claimHandshake(peer: string, nonce: string): void {
    let known = this.#handshakes.get(peer);
    if (known === undefined) {
      known = new Map();
      this.#handshakes.set(peer, known);
    }
    const before = known.get(nonce);
    if (before !== undefined && before > this.now() - this.#limits.idleMs) {
      throw new ProtocolViolation('2', 'an initialRequest came a second time');
    }
    known.delete(nonce);
    const [oldest] = known.keys();
    if (known.size >= this.#limits.maxHandshakes && oldest !== undefined) known.delete(oldest);
    known.set(nonce, this.now());
  }

  #isIdle({ usedAt }: ClientSession): boolean {
    return usedAt <= this.now() - this.#limits.idleMs;
  }

  /** Whoever is authenticated stays. */
  #makeRoom(): void {
    for (const ownNonce of [...this.#sessions.keys()]) this.get(ownNonce);
    if (this.#sessions.size < this.#limits.maxSessions) return;
    let last: ClientSession | undefined;
    for (const session of this.#sessions.values()) {
      if (!session.authenticated && (last === undefined || session.usedAt < last.usedAt)) last = session;
    }
    if (last === undefined) throw new Error('The client has no place for another session.');
    this.remove(last.ownNonce);
  }
}

const rank = ({ authenticated }: ClientSession): number => (authenticated ? 1 : 0);
