import type { ClientNonceStore } from './client-nonce-store.js';

/**
 * The result of a claim:
 * - `first`: the request was not used before;
 * - `repeated`: it was;
 * - `gone`: the session is not kept, or has as many claims as one session may have. The client makes a new handshake.
 */
export type StandInClaim = 'first' | 'repeated' | 'gone';

/**
 * Keeps sessions that begin while the store takes no writes, together with the claims of their reading requests.
 *
 * A session belongs to the store or to the stand-ins for its whole life, and so do the claims of its reading requests.
 * The claims are kept with their session and are lost together with it, so a used request never works again.
 * Requests that may change something are always claimed in the store.
 */
export interface StandInSessions extends ClientNonceStore {
  /**
   * Marks a reading request as used. Never rejects: when the place where the session is kept can't be reached, it is gone.
   *
   * @param handle of the session, 16 bytes
   * @param key of the request, 32 bytes
   */
  claim(handle: Uint8Array, key: Uint8Array): Promise<StandInClaim>;
}
