import type { Authenticator, OpenSession, Session } from '../authenticator.js';
import { BoundedCache } from '../bounded-cache.js';

/** A client's session nonce as a store keeps it. */
export interface ClientNonceRecord {
  /** Canonical base64. */
  readonly clientNonce: string;
  /** Whether the client has signed a request in this session. */
  readonly proven: boolean;
}

/**
 * Where client nonces are kept for all instances, such as a database. An entry that is lost costs its client one more
 * handshake and nothing else.
 */
export interface ClientNonceStore {
  /**
   * Keeps the client nonce of a session that nobody has proven yet.
   * @param handle {@link OpenSession.handle}, 16 bytes
   * @returns resolves when every instance can find it
   */
  insert(handle: Uint8Array, clientNonce: string, expiresAt: Date): Promise<void>;
  find(handle: Uint8Array): Promise<ClientNonceRecord | undefined>;
  /** Marks a session as proven, and keeps its client nonce until `expiresAt`. */
  markProven(handle: Uint8Array, expiresAt: Date): Promise<void>;
}

export interface ClientNoncesOptions {
  readonly authenticator: Authenticator;
  /** Without one, sessions are answered by this process only, and end with it. */
  readonly store?: ClientNonceStore | undefined;
  /** How long a session is kept before its first verified request: handshakes are unsigned. Milliseconds; default 120,000. */
  readonly unprovenLifeMs?: number;
  /** Sessions that are remembered in this process: proven ones, default 50,000, and unproven ones, default 10,000. */
  readonly maxProven?: number;
  readonly maxUnproven?: number;
  /** Called when the store fails in a way that costs nobody more than a handshake. Must not throw. */
  readonly onStoreError?: ((error: unknown) => void) | undefined;
}

const DEFAULT_UNPROVEN_LIFE_MS = 120_000;
const DEFAULT_MAX_PROVEN = 50_000;
const DEFAULT_MAX_UNPROVEN = 10_000;

/**
 * The client nonces of HTTP sessions, which are needed to sign answers (BRC-103). Proven and unproven sessions are
 * remembered apart, so that a flood of handshakes evicts nobody who has proven an identity.
 */
export class ClientNonces {
  readonly #authenticator: Authenticator;
  readonly #store: ClientNonceStore | undefined;
  readonly #unprovenLifeMs: number;
  readonly #onStoreError: (error: unknown) => void;
  readonly #proven: BoundedCache<string, string>;
  readonly #unproven: BoundedCache<string, string>;

  constructor(options: ClientNoncesOptions) {
    this.#authenticator = options.authenticator;
    this.#store = options.store;
    this.#unprovenLifeMs = options.unprovenLifeMs ?? DEFAULT_UNPROVEN_LIFE_MS;
    this.#onStoreError = options.onStoreError ?? (() => {});
    this.#proven = new BoundedCache(options.maxProven ?? DEFAULT_MAX_PROVEN);
    this.#unproven = new BoundedCache(options.maxUnproven ?? DEFAULT_MAX_UNPROVEN);
  }

  /** Keeps a new session. Never rejects: when the store fails, this process at least remembers it. */
  async add(session: Session): Promise<void> {
    this.#unproven.set(session.nonce, session.clientNonce);
    try {
      await this.#store?.insert(session.handle, session.clientNonce, new Date(session.issuedAt + this.#unprovenLifeMs));
    } catch (error) {
      this.#onStoreError(error);
    }
  }

  /**
   * @returns the session with its client nonce; undefined when it is not known any more, or was not proven in time
   * @throws what the store throws
   */
  async find(session: OpenSession): Promise<Session | undefined> {
    const proven = this.#proven.get(session.nonce);
    if (proven !== undefined) return { ...session, clientNonce: proven };
    const isYoung = this.#authenticator.age(session) <= this.#unprovenLifeMs;
    const unproven = isYoung ? this.#unproven.get(session.nonce) : undefined;
    if (unproven !== undefined) return { ...session, clientNonce: unproven };

    const record = await this.#store?.find(session.handle);
    if (record === undefined || !(record.proven || isYoung)) return undefined;
    (record.proven ? this.#proven : this.#unproven).set(session.nonce, record.clientNonce);
    return { ...session, clientNonce: record.clientNonce };
  }

  /**
   * Notes that a session's client has signed a request. Never rejects: when the store fails, the next request of the
   * session tries again.
   */
  async markProven(session: Session): Promise<void> {
    if (this.#proven.get(session.nonce) !== undefined) return;
    this.#proven.set(session.nonce, session.clientNonce);
    try {
      await this.#store?.markProven(session.handle, new Date(session.issuedAt + this.#authenticator.sessionLifeMs));
    } catch (error) {
      this.#proven.delete(session.nonce);
      this.#unproven.set(session.nonce, session.clientNonce);
      this.#onStoreError(error);
    }
  }
}
