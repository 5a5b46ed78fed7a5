import type { Clock } from './clock.js';

/** A token bucket: allows `burst` actions at once, and then `perSecond` actions in each second. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  /** @param clock of which only differences count */
  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    private readonly clock: Pick<Clock, 'now'>,
  ) {
    this.#tokens = burst;
    this.#filledAt = clock.now();
  }

  /** Takes a token. @returns false when there is none */
  take(): boolean {
    const now = this.clock.now();
    // When the clock is set back, no tokens are added or removed.
    const earned = (Math.max(0, now - this.#filledAt) * this.perSecond) / 1_000;
    this.#tokens = Math.min(this.burst, this.#tokens + earned);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
