import type { ClaimedRequest } from './claimed-request.js';
import type { FoundSession } from './client-nonces.js';
import type { StandInClaim, StandInSessions } from './stand-in-sessions.js';

/** Where requests are claimed. */
export interface ClaimPlaces {
  /**
   * Stores the key of a verified request, and returns false when the key is there already. Without it, a captured request
   * can be replayed for as long as its session lives. When it throws, the request fails with that error.
   */
  readonly claimRequest?: (request: ClaimedRequest) => boolean | Promise<boolean>;
  /**
   * Keep sessions, and the claims of their reading requests, while the store takes no writes; the first one if it can.
   * Default: every request needs `claimRequest`.
   */
  readonly standIns?: readonly StandInSessions[];
  /** Whether `claimRequest` has failed with this error because its store takes no writes. Default: false. */
  readonly isWriteRefusal?: (error: unknown) => boolean;
}

/**
 * Claims a request where its session is kept, or in the store when the request may change something. So the same request is
 * never claimed in two places.
 *
 * @returns `gone` when the client has to begin a session that is kept elsewhere
 * @throws what `claimRequest` throws
 */
export async function claimInPlace(
  { claimRequest, standIns = [], isWriteRefusal }: ClaimPlaces,
  { session, standIn }: FoundSession,
  request: ClaimedRequest,
): Promise<StandInClaim> {
  if (request.isReadOnly && standIn !== undefined) return standIn.claim(session.handle, request.key);
  if (claimRequest === undefined) return 'first';
  try {
    return (await claimRequest(request)) ? 'first' : 'repeated';
  } catch (error) {
    if (request.isReadOnly && standIns.length > 0 && isWriteRefusal?.(error)) return 'gone';
    throw error;
  }
}
