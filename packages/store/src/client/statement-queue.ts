/** The argument of `new StatementQueue()`. */
export interface StatementQueueOptions<T> {
  /** Items of one statement. */
  readonly maxBatchSize: number;
  /**
   * Statements at a time. The rest of the pool's connections stays free for others when the database leaves these
   * unanswered. Default: no limit.
   */
  readonly maxRunning?: number;
  /** Runs a statement for these items, and settles them. Must not reject. */
  readonly run: (items: readonly T[]) => Promise<void>;
  /** Settles items for which there was no time left. */
  readonly giveUp?: (items: readonly T[]) => void;
}

/** How long an item waits for its turn, as long as a call waits for a connection. Milliseconds. */
const MAX_WAIT_MS = 5_000;

interface WaitingItem<T> {
  readonly item: T;
  readonly since: number;
}

/** Lets items of the same turn of the event loop, or that wait for the same statement to end, share a statement. */
export class StatementQueue<T> {
  readonly #options: StatementQueueOptions<T>;
  #waiting: WaitingItem<T>[] = [];
  #isScheduled = false;
  #running = 0;

  constructor(options: StatementQueueOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    this.#waiting.push({ item, since: performance.now() });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#runNext();
    });
  }

  #runNext(): void {
    const { maxBatchSize, maxRunning = Number.POSITIVE_INFINITY, run } = this.#options;
    while (this.#running < maxRunning && this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxBatchSize).map(({ item }) => item);
      this.#running += 1;
      void run(batch).finally(() => {
        this.#running -= 1;
        this.#giveUpLate();
        this.#runNext();
      });
    }
  }

  #giveUpLate(): void {
    const { giveUp } = this.#options;
    const limit = performance.now() - MAX_WAIT_MS;
    const firstInTime = this.#waiting.findIndex(({ since }) => since >= limit);
    const late = this.#waiting.slice(0, firstInTime === -1 ? undefined : firstInTime);
    if (late.length === 0 || giveUp === undefined) return;
    this.#waiting = this.#waiting.slice(late.length);
    giveUp(late.map(({ item }) => item));
  }
}
