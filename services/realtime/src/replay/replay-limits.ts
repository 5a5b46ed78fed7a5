/** How much of its boxes is read for one replay. */
export interface ReplayBudget {
  messages: number;
  /** Bytes of the stored bodies, approximately: the message that exceeds it is still read. */
  bytes: number;
}

/** The limits of replays. `docs/limits.md` lists them. */
export const REPLAY_LIMITS = {
  /** A client that asks continues with another request. */
  asked: { messages: 1_000, bytes: 4_194_304 },
  /** All rooms of a client that has come back, which does not ask for more. */
  restored: { messages: 10_000, bytes: 33_554_432 },
  /** Requests in progress. */
  askedPerSocket: 4,
  askedPerIdentity: 16,
} as const;

/** What is read at once. */
export const PAGE_LIMITS = { messages: 100, bytes: 262_144 } as const;
/** Pages of all clients that are read and sent at a time. Each identity has one. */
export const MAX_PAGES_AT_ONCE = 8;
