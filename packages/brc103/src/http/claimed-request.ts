import { createHash } from 'node:crypto';
import { type Authenticator, MAX_CLOCK_SKEW_MS, type Session } from '../authenticator.js';
import type { AuthHeaders } from './auth-headers.js';

/** Identifies one signed request, so that a replay can be refused. */
export interface ClaimedRequest {
  /** SHA-256 over session nonce, request nonce and request id. 32 bytes. */
  readonly key: Uint8Array;
  /** From this time on, the age of the session refuses a replay on every instance. The key can be deleted then. */
  readonly expiresAt: Date;
  /** Whether the route only reads. */
  readonly isReadOnly: boolean;
}

/** The key under which a verified request is claimed. */
export function toClaimedRequest(
  authenticator: Authenticator,
  session: Session,
  { nonce, requestId }: AuthHeaders,
  isReadOnly: boolean,
): ClaimedRequest {
  // Base64 contains no spaces, so no other three values join to the same text.
  const key = createHash('sha256')
    .update(`${session.nonce} ${nonce} ${requestId.toString('base64')}`)
    .digest();
  const expiresAt = new Date(session.issuedAt + authenticator.sessionLifetimeMs + MAX_CLOCK_SKEW_MS);
  return { key, expiresAt, isReadOnly };
}
