/** Throttled pushes to so many devices in a row: then it is not the devices. */
const DEVICES = 3;

/**
 * When the whole project has to be quiet. One 429 says little: the limit may be that of the device, which its owner can
 * reach at will, so it must not hold up anybody else.
 */
export class ProjectPause {
  #until = 0;
  /** Tokens of the throttled pushes since the last one that went through. */
  readonly #throttled = new Set<string>();

  /** Until pushes may be tried again; 0 or less: now. */
  remainingMs(): number {
    return this.#until - Date.now();
  }

  begin(ms: number): void {
    this.#until = Math.max(this.#until, Date.now() + ms);
  }

  /** A push to this device was throttled, perhaps because of others. */
  throttled(token: string, pauseMs: number): void {
    if (this.remainingMs() > 0) return; // it was on its way before the pause
    this.#throttled.add(token);
    if (this.#throttled.size < DEVICES) return;
    // Those who probe after the pause are counted anew.
    this.#throttled.clear();
    this.begin(pauseMs);
  }

  succeeded(): void {
    this.#throttled.clear();
  }
}
