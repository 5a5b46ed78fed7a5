import { WritesRefusedError } from '../client/store-errors.js';

/** Well below the timeout of a statement, because a reading request must not wait that long for its claim. */
const DEFAULT_TIMEOUT_MS = 2_000;

/**
 * Runs writes whose callers have another way when the database does not take them. A database may leave a write unanswered
 * (MariaDB waits for space when its disk is full), and it would be wrong to wait for it with every request. So a write is
 * given up after a time, although the store goes on with it, and until it has ended no other one begins. After that, one
 * write at a time tries again.
 */
export class BoundedWrites {
  /** Writes that were given up and have not ended. */
  #stalled = 0;
  /** Whether a write was given up, and none has been answered in time since. */
  #isDoubtful = false;
  #running = 0;

  /** @param timeoutMs when a write is given up. Milliseconds. Default: 2,000 */
  constructor(private readonly timeoutMs = DEFAULT_TIMEOUT_MS) {}

  /** @throws {WritesRefusedError} when the database has not answered in time, and what `write` throws */
  async run<T>(write: () => Promise<T>): Promise<T> {
    if (this.#stalled > 0 || (this.#isDoubtful && this.#running > 0)) {
      throw new WritesRefusedError(new Error('The database has left an earlier write unanswered.'));
    }
    this.#running += 1;
    const writing = write();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.#giveUp(writing);
        reject(new WritesRefusedError(new Error(`The database did not answer within ${this.timeoutMs} ms.`)));
      }, this.timeoutMs);
    });
    try {
      const result = await Promise.race([writing, late]);
      this.#isDoubtful = false;
      return result;
    } finally {
      clearTimeout(timer);
      this.#running -= 1;
    }
  }

  #giveUp(writing: Promise<unknown>): void {
    this.#isDoubtful = true;
    this.#stalled += 1;
    const end = () => {
      this.#stalled -= 1;
    };
    writing.then(end, end);
  }
}
