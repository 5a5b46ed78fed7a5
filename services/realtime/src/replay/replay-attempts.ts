import { LRUCache } from 'lru-cache';

/** The default limits; `docs/limits.md` lists them. */
export const REPLAY_ATTEMPT_LIMITS = { largeBodyBytes: 65_536, attempts: 3, messages: 10_000, ms: 3_600_000 } as const;

/**
 * Counts how often a large message is replayed to clients of an identity that have come back. A link that is too slow for it
 * breaks each time, so without a limit its client would never get to the messages after it.
 */
export class ReplayAttempts {
  readonly #attempts = new LRUCache<string, number>({
    max: REPLAY_ATTEMPT_LIMITS.messages,
    ttl: REPLAY_ATTEMPT_LIMITS.ms,
  });

  /** Counts one more attempt. @returns false when there were too many, and the client has to list the message */
  take(identityKey: string, message: { readonly cursor: string; readonly body: string }): boolean {
    if (Buffer.byteLength(message.body) <= REPLAY_ATTEMPT_LIMITS.largeBodyBytes) return true;
    const key = `${identityKey} ${message.cursor}`;
    const attempts = this.#attempts.get(key) ?? 0;
    if (attempts >= REPLAY_ATTEMPT_LIMITS.attempts) return false;
    this.#attempts.set(key, attempts + 1);
    return true;
  }
}
