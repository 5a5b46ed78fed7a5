/** How often what is measured is set against all that the loop does. Milliseconds. */
const LOOK_EVERY_MS = 200;
/** What else the loop does is at most so many times what is measured. */
const MAX_FACTOR = 2;

/**
 * What the event loop does beside the work that is measured, such as parsing, input and output, and the database's driver: as
 * a factor of the measured work, from one look to the next.
 */
export class LoopOverhead {
  #factor = 1;
  #measuredMs = 0;
  #busyBefore: number;
  #lookedAt: number;

  /**
   * @param now milliseconds of a clock that only goes forward
   * @param busyMs milliseconds that the event loop has been busy for
   */
  constructor(
    private readonly now: () => number,
    private readonly busyMs: () => number = () => performance.eventLoopUtilization().active,
  ) {
    this.#busyBefore = this.busyMs();
    this.#lookedAt = this.now();
  }

  /** What a measured millisecond costs, all in all. */
  get factor(): number {
    return this.#factor;
  }

  /** So many milliseconds of work were measured. */
  note(ms: number): void {
    this.#measuredMs += ms;
    const now = this.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return;
    const busyMs = this.busyMs();
    this.#factor = Math.min(MAX_FACTOR, Math.max(1, (busyMs - this.#busyBefore) / this.#measuredMs));
    this.#measuredMs = 0;
    this.#busyBefore = busyMs;
    this.#lookedAt = now;
  }
}
