/** How long a test waits for something that is about to happen. */
const PATIENCE_MS = 30_000;

interface Waiting<T> {
  notify(value: T): void;
  fail(error: Error): void;
}

/** Everything of one kind that has arrived so far, and a way to wait for what has not. */
export class History<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<Waiting<T>>();
  #failure: Error | undefined;

  /** @param what names it in the error of a wait that was in vain */
  constructor(private readonly what: string) {}

  readonly add = (value: T): void => {
    this.all.push(value);
    for (const { notify } of [...this.#waiting]) notify(value);
  };

  /** Nothing more will arrive: whoever waits, and whoever waits later, is told why. */
  readonly fail = (error: Error): void => {
    this.#failure ??= error;
    for (const { fail } of [...this.#waiting]) fail(error);
  };

  /** The first that matches, whether it arrived already or is still to come. */
  async find(matches: (value: T) => boolean, patienceMs = PATIENCE_MS): Promise<T> {
    const known = this.all.find(matches);
    return known === undefined ? this.next(matches, patienceMs) : known;
  }

  /** The first that matches of those that arrive from now on. */
  next(matches: (value: T) => boolean = () => true, patienceMs = PATIENCE_MS): Promise<T> {
    return within(
      patienceMs,
      `${this.what} (${this.all.length} others came)`,
      new Promise<T>((resolve, reject) => {
        if (this.#failure !== undefined) {
          reject(this.#failure);
          return;
        }
        const waiting: Waiting<T> = {
          notify: (value) => {
            if (!matches(value)) return;
            this.#waiting.delete(waiting);
            resolve(value);
          },
          fail: (error) => {
            this.#waiting.delete(waiting);
            reject(error);
          },
        };
        this.#waiting.add(waiting);
      }),
    );
  }
}

/** Rejects with a name for what did not happen in time. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Repeats a question until the answer is yes. For states that announce themselves to nobody. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = PATIENCE_MS): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain until: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
