/** How long a test waits by default. */
const WAIT_TIMEOUT_MS = 30_000;

interface Waiter<T> {
  notify(value: T): void;
  fail(error: Error): void;
}

/** The values of one kind that have arrived, and a way to wait for the next ones. */
export class EventHistory<T> {
  readonly all: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #failure: Error | undefined;

  /** @param what the name of the values in timeout errors */
  constructor(private readonly what: string) {}

  readonly add = (value: T): void => {
    this.all.push(value);
    for (const { notify } of [...this.#waiters]) notify(value);
  };

  /** Rejects all current and later waits, because no more values will arrive. */
  readonly fail = (error: Error): void => {
    this.#failure ??= error;
    for (const { fail } of [...this.#waiters]) fail(error);
  };

  /** Resolves with the first value that matches, whether it has arrived already or not. */
  async waitFor(matches: (value: T) => boolean, timeoutMs = WAIT_TIMEOUT_MS): Promise<T> {
    const known = this.all.find(matches);
    return known === undefined ? this.waitForNext(matches, timeoutMs) : known;
  }

  /** Resolves with the first matching value that arrives from now on. */
  waitForNext(matches: (value: T) => boolean = () => true, timeoutMs = WAIT_TIMEOUT_MS): Promise<T> {
    return withTimeout(
      timeoutMs,
      `${this.what} (${this.all.length} others arrived)`,
      new Promise<T>((resolve, reject) => {
        if (this.#failure !== undefined) {
          reject(this.#failure);
          return;
        }
        const waiting: Waiter<T> = {
          notify: (value) => {
            if (!matches(value)) return;
            this.#waiters.delete(waiting);
            resolve(value);
          },
          fail: (error) => {
            this.#waiters.delete(waiting);
            reject(error);
          },
        };
        this.#waiters.add(waiting);
      }),
    );
  }
}

/** Rejects with an error that names `what` when the promise does not settle in time. */
export async function withTimeout<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out after ${timeoutMs} ms: ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until a condition holds. Use it only when there is no event to wait for. */
export async function waitUntil(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = WAIT_TIMEOUT_MS,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`timed out after ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
