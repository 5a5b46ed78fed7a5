/** So many different devices throttled in a row mean that the limit is not that of a device. */
const MIN_THROTTLED_DEVICES = 3;

/**
 * Decides when all pushes of the project must pause. One 429 is not enough: it may be the limit of one device, which its
 * owner can reach at will, so it must not delay pushes to others.
 */
export class ThrottleGate {
  #until = 0;
  /** Tokens of the throttled pushes since the last one that succeeded. */
  readonly #throttled = new Set<string>();

  /** Milliseconds until pushes may be tried again; 0 or less: now. */
  getRemainingMs(): number {
    return this.#until - Date.now();
  }

  block(ms: number): void {
    this.#until = Math.max(this.#until, Date.now() + ms);
  }

  /** Records that a push to this device was throttled, perhaps because of pushes to others. */
  recordThrottled(token: string, pauseMs: number): void {
    if (this.getRemainingMs() > 0) return; // it was sent before the pause
    this.#throttled.add(token);
    if (this.#throttled.size < MIN_THROTTLED_DEVICES) return;
    // After the pause, the count begins again.
    this.#throttled.clear();
    this.block(pauseMs);
  }

  recordSuccess(): void {
    this.#throttled.clear();
  }
}
