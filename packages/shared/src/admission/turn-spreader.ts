/** How much is begun in one turn of the event loop. */
export interface TurnLimits {
  /** Pieces of work of one key that run at once. */
  readonly perKey: number;
  /** Pieces of work that run later, of all keys together. */
  readonly later: number;
}

const DEFAULT_LIMITS: TurnLimits = { perKey: 4, later: 16 };

/**
 * Spreads work that arrives in bursts over turns of the event loop. A client can send thousands of requests in one moment, and
 * what is read in one turn would otherwise be begun in that turn, however long it takes, before anybody else is served. Keys
 * take turns, and the work of one key stays in order.
 */
export class TurnSpreader {
  /** How much of each key has run in this turn. */
  readonly #begun = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();
  #isTurnDue = false;

  constructor(private readonly limits: TurnLimits = DEFAULT_LIMITS) {}

  /** Runs `work` now, or in a later turn when much of this key has run in this one. `work` must not throw. */
  run(key: string, work: () => void): void {
    const waiting = this.#waiting.get(key);
    const begun = this.#begun.get(key) ?? 0;
    this.#scheduleTurn();
    if (waiting !== undefined) {
      waiting.push(work);
    } else if (begun >= this.limits.perKey) {
      this.#waiting.set(key, [work]);
    } else {
      this.#begun.set(key, begun + 1);
      work();
    }
  }

  #scheduleTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      this.#begun.clear();
      this.#runWaiting();
    });
  }

  #runWaiting(): void {
    for (let left = this.limits.later; left > 0; left--) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [key, waiting] = next;
      const work = waiting.shift();
      // To the end of the line, if there is more.
      this.#waiting.delete(key);
      if (waiting.length > 0) this.#waiting.set(key, waiting);
      work?.();
    }
    if (this.#waiting.size > 0) this.#scheduleTurn();
  }
}
