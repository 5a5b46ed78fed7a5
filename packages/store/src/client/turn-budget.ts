import { setImmediate } from 'node:timers/promises';

/** How long synchronous statements may run before the event loop goes on with everything else. */
const MAX_MS_PER_TURN = 4;

/**
 * Spreads synchronous work over turns of the event loop. The next piece of work often begins in a microtask after the last
 * one, so without this, many of them would run in one turn, and sockets, requests and timers would wait for all of them.
 */
export class TurnBudget {
  #usedMs = 0;
  #turnEnd: Promise<void> | undefined;

  /** @param now returns milliseconds of a monotonic clock */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Runs synchronous work: now, or in the next turn when much was done in this one. */
  async run<T>(work: () => T): Promise<T> {
    while (this.#usedMs >= MAX_MS_PER_TURN) await this.#waitForTurnEnd();
    const start = this.now();
    try {
      return work();
    } finally {
      this.#usedMs += this.now() - start;
      void this.#waitForTurnEnd();
    }
  }

  #waitForTurnEnd(): Promise<void> {
    this.#turnEnd ??= setImmediate().then(() => {
      this.#usedMs = 0;
      this.#turnEnd = undefined;
    });
    return this.#turnEnd;
  }
}
