/** How often the measured work is compared with the busy time of the loop. */
const SAMPLE_INTERVAL_MS = 200;
/** The maximum factor, so that one burst of other work does not make every source expensive. */
const MAX_FACTOR = 2;

/**
 * The work of the event loop that is not measured, such as parsing, input and output, and the database driver. It is
 * expressed as a factor of the measured work, computed anew in each interval.
 */
export class LoopOverhead {
  #factor = 1;
  #measuredMs = 0;
  #busyBefore: number;
  #sampledAt: number;

  /**
   * @param now milliseconds of a clock that only goes forward
   * @param busyMs milliseconds for which the event loop has been busy
   */
  constructor(
    private readonly now: () => number,
    private readonly busyMs: () => number = () => performance.eventLoopUtilization().active,
  ) {
    this.#busyBefore = this.busyMs();
    this.#sampledAt = this.now();
  }

  /** The total cost of one measured millisecond. At least 1. */
  get factor(): number {
    return this.#factor;
  }

  /** Adds measured work. Milliseconds. */
  record(ms: number): void {
    this.#measuredMs += ms;
    const now = this.now();
    if (now - this.#sampledAt < SAMPLE_INTERVAL_MS) return;
    const busyMs = this.busyMs();
    this.#factor = Math.min(MAX_FACTOR, Math.max(1, (busyMs - this.#busyBefore) / this.#measuredMs));
    this.#measuredMs = 0;
    this.#busyBefore = busyMs;
    this.#sampledAt = now;
  }
}
