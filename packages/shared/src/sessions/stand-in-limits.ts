/** Limits of the sessions that are kept while the database takes no writes. */
export interface StandInLimits {
  /** Sessions without a verified request. Beyond this the oldest ends. */
  readonly unproven: number;
  /** Sessions with one. Beyond this the one that would end first does. */
  readonly proven: number;
  /** Reading requests of one session. The session ends with the next one, and its client makes a new handshake. */
  readonly claims: number;
}

/** Some 16 MB in memory at most, and 64 MB in Redis. */
export const STAND_IN_LIMITS: StandInLimits = { unproven: 5_000, proven: 5_000, claims: 64 };
export const REDIS_STAND_IN_LIMITS: StandInLimits = { unproven: 10_000, proven: 20_000, claims: 64 };

/** Half of the digest of a request. Only the request's own client could search for two that are equal. */
const CLAIM_BYTES = 16;

/** The form in which claims are kept. */
export function toStandInClaim(key: Uint8Array): string {
  return Buffer.from(key.subarray(0, CLAIM_BYTES)).toString('base64url');
}

export function toHandleText(handle: Uint8Array): string {
  return Buffer.from(handle).toString('hex');
}
