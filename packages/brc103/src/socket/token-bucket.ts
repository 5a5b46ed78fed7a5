/** Lets `burst` things happen at once and then `perSecond` of them in each second. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  /** @param now milliseconds; only differences count */
  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    private readonly now: () => number,
  ) {
    this.#tokens = burst;
    this.#filledAt = now();
  }

  /** @returns false when it is too early for one more */
  take(): boolean {
    const now = this.now();
    // A clock that is set back adds nothing and takes nothing away.
    const earned = (Math.max(0, now - this.#filledAt) * this.perSecond) / 1_000;
    this.#tokens = Math.min(this.burst, this.#tokens + earned);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
