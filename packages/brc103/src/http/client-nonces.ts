import type { Authenticator, OpenSession, Session } from '../authenticator.js';
import { BoundedCache } from '../bounded-cache.js';

/** A client's session nonce as a store keeps it. */
export interface ClientNonceRecord {
  /** Canonical base64. */
  readonly clientNonce: string;
  /** Whether the client has signed a request in this session. */
  readonly proven: boolean;
  /** When the session ends, as it was settled when this was written, whatever the settings are now. */
  readonly expiresAt: Date;
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
  /**
   * Marks a session as proven, and keeps its client nonce until `expiresAt`. One that is proven already stays as it is.
   * @returns false when this call may not have done so: then the store knows better when the session ends
   */
  markProven(handle: Uint8Array, expiresAt: Date): Promise<boolean>;
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

interface Remembered {
  readonly clientNonce: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * The client nonces of HTTP sessions, which are needed to sign answers (BRC-103). Proven and unproven sessions are
 * remembered apart, so that a flood of handshakes evicts nobody who has proven an identity.
 *
 * A session ends when it was settled to end: claims of its requests are kept no longer than that, so a longer life of
 * sessions must not make it good again.
 */
export class ClientNonces {
  readonly #authenticator: Authenticator;
  readonly #store: ClientNonceStore | undefined;
  readonly #unprovenLifeMs: number;
  readonly #onStoreError: (error: unknown) => void;
  readonly #proven: BoundedCache<string, Remembered>;
  readonly #unproven: BoundedCache<string, Remembered>;

  constructor(options: ClientNoncesOptions) {
    this.#authenticator = options.authenticator;
    this.#store = options.store;
    this.#unprovenLifeMs = options.unprovenLifeMs ?? DEFAULT_UNPROVEN_LIFE_MS;
    this.#onStoreError = options.onStoreError ?? (() => {});
    this.#proven = new BoundedCache(options.maxProven ?? DEFAULT_MAX_PROVEN);
    this.#unproven = new BoundedCache(options.maxUnproven ?? DEFAULT_MAX_UNPROVEN);
  }

  /**
   * Whether this process knows that the session's client has signed a request. The nonce of such a session is known to its
   * client and to nobody who has not read its traffic.
   */
  isProven(session: OpenSession): boolean {
    return this.#proven.get(session.nonce) !== undefined;
  }

  /** Keeps a new session. Never rejects: when the store fails, this process at least remembers it. */
  async add(session: Session): Promise<void> {
    const { clientNonce, handle, issuedAt, nonce } = session;
    // No longer than a proven one: the claims of its requests end with that.
    const expiresAt = issuedAt + Math.min(this.#unprovenLifeMs, this.#authenticator.sessionLifeMs);
    this.#unproven.set(nonce, { clientNonce, expiresAt });
    try {
      await this.#store?.insert(handle, clientNonce, new Date(expiresAt));
    } catch (error) {
      this.#onStoreError(error);
    }
  }

  /**
   * @returns the session with its client nonce; undefined when it is not known any more, was not proven in time, or has
   *   ended by the settings under which it was kept
   * @throws what the store throws
   */
  async find(session: OpenSession): Promise<Session | undefined> {
    const age = this.#authenticator.age(session);
    const isLive = ({ expiresAt }: Remembered) => session.issuedAt + age <= expiresAt;
    const found = (entry: Remembered) => ({ ...session, clientNonce: entry.clientNonce });
    const proven = this.#proven.get(session.nonce);
    if (proven !== undefined) return isLive(proven) ? found(proven) : undefined;
    const isYoung = age <= this.#unprovenLifeMs;
    const unproven = isYoung ? this.#unproven.get(session.nonce) : undefined;
    if (unproven !== undefined && isLive(unproven)) return found(unproven);

    const record = await this.#store?.find(session.handle);
    if (record === undefined || !(record.proven || isYoung)) return undefined;
    const entry: Remembered = { clientNonce: record.clientNonce, expiresAt: record.expiresAt.getTime() };
    if (!isLive(entry)) return undefined;
    (record.proven ? this.#proven : this.#unproven).set(session.nonce, entry);
    return found(entry);
  }

  /**
   * Notes that a session's client has signed a request. Never rejects: when the store fails, the next request of the
   * session tries again.
   */
  async markProven(session: Session): Promise<void> {
    const { clientNonce, handle, issuedAt, nonce } = session;
    if (this.#proven.get(nonce) !== undefined) return;
    const entry: Remembered = { clientNonce, expiresAt: issuedAt + this.#authenticator.sessionLifeMs };
    const unproven = this.#unproven.get(nonce);
    this.#proven.set(nonce, entry);
    this.#unproven.delete(nonce);
    try {
      // Another instance, with other settings, may have been first: the next request of the session asks the store.
      if ((await this.#store?.markProven(handle, new Date(entry.expiresAt))) === false) this.#proven.delete(nonce);
    } catch (error) {
      this.#proven.delete(nonce);
      if (unproven !== undefined) this.#unproven.set(nonce, unproven);
      this.#onStoreError(error);
    }
  }
}
