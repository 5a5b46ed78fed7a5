/** How long events are sent in one turn of the event loop. */
const TIME_SLICE_MS = 4;

/**
 * Spreads sending over turns of the event loop. An event for many sockets, or many events for one, are signed in time slices,
 * with input and timers in between. Waiting senders take turns.
 */
export class SendScheduler {
  readonly #waiting = new Set<() => boolean>();
  #usedMs = 0;
  #isNextTurnDue = false;

  /** @param now returns milliseconds of a monotonic clock */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Calls `step` until it returns false: now while there is time in this turn, and then in later turns. */
  run(step: () => boolean): void {
    if (this.#waiting.has(step)) return;
    while (this.#waiting.size === 0 && this.#usedMs < TIME_SLICE_MS) {
      if (!this.#runStep(step)) return;
    }
    this.#waiting.add(step);
    this.#scheduleNextTurn();
  }

  /** Whether `step` waits for its next turn. */
  isWaiting(step: () => boolean): boolean {
    return this.#waiting.has(step);
  }

  /** Does not call `step` any more. */
  cancel(step: () => boolean): void {
    this.#waiting.delete(step);
  }

  #runStep(step: () => boolean): boolean {
    const start = this.now();
    try {
      return step();
    } finally {
      this.#usedMs += this.now() - start;
      this.#scheduleNextTurn();
    }
  }

  #scheduleNextTurn(): void {
    if (this.#isNextTurnDue) return;
    this.#isNextTurnDue = true;
    setImmediate(() => {
      this.#isNextTurnDue = false;
      this.#usedMs = 0;
      this.#runWaitingSteps();
    });
  }

  #runWaitingSteps(): void {
    while (this.#usedMs < TIME_SLICE_MS) {
      const [step] = this.#waiting;
      if (step === undefined) return;
      const isMore = this.#runStep(step);
      // The step goes to the end of the queue, unless it was cancelled meanwhile.
      if (this.#waiting.delete(step) && isMore) this.#waiting.add(step);
    }
    if (this.#waiting.size > 0) this.#scheduleNextTurn();
  }
}
