/** The queue is full, altogether or for this key. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

export interface FairQueueLimits {
  /** Most that wait, or run, at a time. */
  readonly waiting: number;
  /** Most of them of one key. */
  readonly waitingOfOne: number;
}

/** One piece of work at a time, and of those that wait each key's in turn: who asks for much delays mostly itself. */
export class FairQueue {
  /** Keys in the order of their turns; each has something waiting. */
  readonly #lines = new Map<string, (() => Promise<void>)[]>();
  readonly #counts = new Map<string, number>();
  #count = 0;
  #isRunning = false;

  constructor(private readonly limits: FairQueueLimits) {}

  /**
   * Keeps a place for all that is done in `work`, which may call {@link Place.turn} several times.
   *
   * @throws {QueueFullError}, and what `work` throws
   */
  async enter<T>(key: string, work: (place: Place) => Promise<T>): Promise<T> {
    const ofKey = this.#counts.get(key) ?? 0;
    if (this.#count >= this.limits.waiting || ofKey >= this.limits.waitingOfOne) throw new QueueFullError();
    this.#count += 1;
    this.#counts.set(key, ofKey + 1);
    try {
      return await work({ turn: (piece) => this.#turn(key, piece) });
    } finally {
      this.#count -= 1;
      const left = (this.#counts.get(key) ?? 1) - 1;
      if (left === 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    }
  }

  #turn<T>(key: string, piece: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const line = this.#lines.get(key) ?? [];
      line.push(() => piece().then(resolve, reject));
      this.#lines.set(key, line);
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let [next] = this.#lines; next !== undefined; [next] = this.#lines) {
      const [key, line] = next;
      const piece = line.shift();
      // To the end of the row of keys, if there is more of it.
      this.#lines.delete(key);
      if (line.length > 0) this.#lines.set(key, line);
      await piece?.();
    }
    this.#isRunning = false;
  }
}

/** A place in the queue. */
export interface Place {
  /** Waits for a turn and does this in it. @throws what `piece` throws */
  turn<T>(piece: () => Promise<T>): Promise<T>;
}
