/** Sending in one turn of the event loop, before everybody else gets a turn. Milliseconds. */
const SLICE_MS = 4;

/**
 * Divides what is sent into turns of the event loop: one event for many sockets, or many for one, is signed in slices, and
 * input and timers are served between them. Senders that wait take turns.
 */
export class SendTurns {
  readonly #waiting = new Set<() => boolean>();
  #usedMs = 0;
  #isNextTurnDue = false;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Calls `step` until it returns false: at once while there is time in this turn, and then in later ones.
   */
  run(step: () => boolean): void {
    if (this.#waiting.has(step)) return;
    while (this.#waiting.size === 0 && this.#usedMs < SLICE_MS) {
      if (!this.#measure(step)) return;
    }
    this.#waiting.add(step);
    this.#endTurnLater();
  }

  /** Whether this step waits for its next turn. */
  isWaiting(step: () => boolean): boolean {
    return this.#waiting.has(step);
  }

  /** It needs no turn any more. */
  cancel(step: () => boolean): void {
    this.#waiting.delete(step);
  }

  #measure(step: () => boolean): boolean {
    const start = this.now();
    try {
      return step();
    } finally {
      this.#usedMs += this.now() - start;
      this.#endTurnLater();
    }
  }

  #endTurnLater(): void {
    if (this.#isNextTurnDue) return;
    this.#isNextTurnDue = true;
    setImmediate(() => {
      this.#isNextTurnDue = false;
      this.#usedMs = 0;
      this.#drain();
    });
  }

  #drain(): void {
    while (this.#usedMs < SLICE_MS) {
      const [step] = this.#waiting;
      if (step === undefined) return;
      const isMore = this.#measure(step);
      // What it has left comes after what others have, unless it was cancelled.
      if (this.#waiting.delete(step) && isMore) this.#waiting.add(step);
    }
    if (this.#waiting.size > 0) this.#endTurnLater();
  }
}
