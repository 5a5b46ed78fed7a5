/** The length of the gap after the work of a heavy address, in units of that work: 1 leaves half of the time to others. */
const GAP_FACTOR = 1;
const MAX_GAP_MS = 1_000;
/** An address counts as present for this long after its last work. */
const PRESENCE_DURATION_MS = 2_000;

/** A light address that had work done, and the time of that work. */
interface Activity {
  readonly address: string;
  at: number;
}

/** Gaps in the use of the event loop, in which the work of heavy addresses waits so that light addresses meet a free loop. */
export class LoopGaps {
  #until = Number.NEGATIVE_INFINITY;
  /** The light address that last had work done, and the last one before it with another address. */
  #latest: Activity = { address: '', at: Number.NEGATIVE_INFINITY };
  #previous: Activity = this.#latest;

  isInGap(now: number): boolean {
    return now < this.#until;
  }

  /** Milliseconds until the gap ends. */
  msLeft(now: number): number {
    return this.#until - now;
  }

  /** Makes the gap longer, after `ms` of work of a heavy address. */
  extend(ms: number, now: number): void {
    this.#until = Math.min(Math.max(now, this.#until) + ms * GAP_FACTOR, now + MAX_GAP_MS);
  }

  end(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }

  noteLightAddress(address: string, now: number): void {
    if (this.#latest.address === address) {
      this.#latest.at = now;
    } else {
      this.#previous = this.#latest;
      this.#latest = { address, at: now };
    }
  }

  /** Whether another light address was present lately. Among heavy addresses alone, a gap would help nobody. */
  hasOtherLightAddress(address: string, now: number): boolean {
    const other = this.#latest.address === address ? this.#previous : this.#latest;
    return now - other.at < PRESENCE_DURATION_MS;
  }
}
