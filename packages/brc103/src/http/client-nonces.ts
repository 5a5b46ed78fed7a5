import { type Authenticator, addClientNonce, type IssuedSession, type Session } from '../authenticator.js';
import { LruCache } from '../lru-cache.js';
import type { ClientNonceRecord, ClientNonceStore } from './client-nonce-store.js';
import type { StandInSessions } from './stand-in-sessions.js';

/** The argument of `new ClientNonces()`. */
export interface ClientNoncesOptions {
  readonly authenticator: Authenticator;
  /** Without a store, only this process can serve a session, and sessions end with it. */
  readonly store?: ClientNonceStore | undefined;
  /** Keep sessions that the store does not take, the first one if it can. Default: only this process keeps them. */
  readonly standIns?: readonly StandInSessions[] | undefined;
  /**
   * How long a session is kept before its first verified request. It is short because handshakes are not signed.
   * Milliseconds. Default: 120,000.
   */
  readonly unprovenLifetimeMs?: number;
  /** How many proven sessions this process caches. Default: 50,000. */
  readonly maxProven?: number;
  /** How many unproven sessions this process caches. Default: 10,000. */
  readonly maxUnproven?: number;
  /** Called when the store fails and the client only has to repeat the handshake. Must not throw. */
  readonly onStoreError?: ((error: unknown) => void) | undefined;
}

const DEFAULT_UNPROVEN_LIFETIME_MS = 120_000;
const DEFAULT_MAX_PROVEN = 50_000;
const DEFAULT_MAX_UNPROVEN = 10_000;

/** A session that was found, and where it is kept. */
export interface FoundSession {
  readonly session: Session;
  /** Undefined when it belongs to the store. */
  readonly standIn: StandInSessions | undefined;
}

interface CachedNonce {
  readonly clientNonce: string;
  readonly standIn: StandInSessions | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * The client nonces of HTTP sessions, which are needed to sign responses (BRC-103). Proven and unproven sessions are cached
 * separately, so that a flood of handshakes evicts no proven session.
 *
 * A session ends at the time that was stored with it. The claims of its requests are deleted then, so a longer
 * `sessionLifetimeMs` must not extend sessions that exist already.
 */
export class ClientNonces {
  readonly #authenticator: Authenticator;
  readonly #store: ClientNonceStore | undefined;
  readonly #standIns: readonly StandInSessions[];
  readonly #unprovenLifetimeMs: number;
  readonly #onStoreError: (error: unknown) => void;
  readonly #proven: LruCache<string, CachedNonce>;
  readonly #unproven: LruCache<string, CachedNonce>;

  constructor(options: ClientNoncesOptions) {
    this.#authenticator = options.authenticator;
    this.#store = options.store;
    this.#standIns = options.standIns ?? [];
    this.#unprovenLifetimeMs = options.unprovenLifetimeMs ?? DEFAULT_UNPROVEN_LIFETIME_MS;
    this.#onStoreError = options.onStoreError ?? (() => {});
    this.#proven = new LruCache(options.maxProven ?? DEFAULT_MAX_PROVEN);
    this.#unproven = new LruCache(options.maxUnproven ?? DEFAULT_MAX_UNPROVEN);
  }

  /**
   * Whether this process knows that the session's client has signed a request. Only that client, and parties that can read
   * its traffic, know the nonce of such a session.
   */
  isProven(session: IssuedSession): boolean {
    return this.#proven.get(session.nonce) !== undefined;
  }

  /**
   * Begins a session, and stores it. When the store fails, it may keep the session or not, so another session is begun for
   * the next place.
   *
   * @throws what `begin` throws
   */
  async begin<T extends { readonly session: Session }>(begin: () => Promise<T>): Promise<T> {
    const first = await begin();
    if (await this.#add(first.session, undefined)) return first;
    for (const standIn of this.#standIns) {
      const next = await begin();
      if (await this.#add(next.session, standIn)) return next;
    }
    this.#cacheUnproven(first.session, undefined);
    return first;
  }

  /**
   * Finds the client nonce of a session.
   *
   * @returns undefined when the session is not known any more, was not proven in time, or has ended
   * @throws what the store throws
   */
  async find(session: IssuedSession): Promise<FoundSession | undefined> {
    const age = this.#authenticator.getAgeMs(session);
    const isLive = ({ expiresAt }: CachedNonce) => session.issuedAt + age <= expiresAt;
    const found = ({ clientNonce, standIn }: CachedNonce) => ({
      session: addClientNonce(session, clientNonce),
      standIn,
    });
    const proven = this.#proven.get(session.nonce);
    if (proven !== undefined) return isLive(proven) ? found(proven) : undefined;
    const isYoung = age <= this.#unprovenLifetimeMs;
    const unproven = isYoung ? this.#unproven.get(session.nonce) : undefined;
    if (unproven !== undefined && isLive(unproven)) return found(unproven);

    const kept = await this.#findKept(session.handle);
    if (kept === undefined || !(kept.record.proven || isYoung)) return undefined;
    const { record, standIn } = kept;
    const entry: CachedNonce = { clientNonce: record.clientNonce, expiresAt: record.expiresAt.getTime(), standIn };
    if (!isLive(entry)) return undefined;
    (record.proven ? this.#proven : this.#unproven).set(session.nonce, entry);
    return found(entry);
  }

  /**
   * Records that a session's client has signed a request. Never rejects: when the store fails, the next request of the
   * session tries again.
   */
  async markProven({ session, standIn }: FoundSession): Promise<void> {
    const { clientNonce, handle, issuedAt, nonce } = session;
    if (this.#proven.get(nonce) !== undefined) return;
    const entry: CachedNonce = { clientNonce, expiresAt: issuedAt + this.#authenticator.sessionLifetimeMs, standIn };
    const unproven = this.#unproven.get(nonce);
    this.#proven.set(nonce, entry);
    this.#unproven.delete(nonce);
    try {
      const keeper = standIn ?? this.#store;
      // Another instance with other settings may have been first, so the next request of the session asks the store.
      if ((await keeper?.markProven(handle, new Date(entry.expiresAt))) === false) this.#proven.delete(nonce);
    } catch (error) {
      this.#proven.delete(nonce);
      if (unproven !== undefined) this.#unproven.set(nonce, unproven);
      this.#onStoreError(error);
    }
  }

  async #add(session: Session, standIn: StandInSessions | undefined): Promise<boolean> {
    const expiresAt = new Date(this.#getUnprovenExpiry(session));
    try {
      await (standIn ?? this.#store)?.insert(session.handle, session.clientNonce, expiresAt);
    } catch (error) {
      this.#onStoreError(error);
      return false;
    }
    this.#cacheUnproven(session, standIn);
    return true;
  }

  #cacheUnproven(session: Session, standIn: StandInSessions | undefined): void {
    const expiresAt = this.#getUnprovenExpiry(session);
    this.#unproven.set(session.nonce, { clientNonce: session.clientNonce, expiresAt, standIn });
  }

  /** @throws what the store throws. A stand-in that fails keeps nothing that could be served. */
  async #findKept(
    handle: Uint8Array,
  ): Promise<{ record: ClientNonceRecord; standIn: StandInSessions | undefined } | undefined> {
    const stored = await this.#store?.find(handle);
    if (stored !== undefined) return { record: stored, standIn: undefined };
    for (const standIn of this.#standIns) {
      const record = await standIn.find(handle).catch(this.#onStoreError);
      if (record) return { record, standIn };
    }
    return undefined;
  }

  #getUnprovenExpiry({ issuedAt }: Session): number {
    // Not longer than a proven session, because the claims of its requests are deleted then.
    return issuedAt + Math.min(this.#unprovenLifetimeMs, this.#authenticator.sessionLifetimeMs);
  }
}
