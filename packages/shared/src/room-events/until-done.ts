/**
 * Repeats a task until it succeeds. It runs some time after the first request, so that requests that come together are one
 * run, and no more often than that.
 */
export class UntilDone {
  #isRunning = false;
  #isRequested = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param intervalMs the pause before each run */
  constructor(
    private readonly task: () => Promise<void>,
    private readonly intervalMs: number,
  ) {}

  request(): void {
    this.#isRequested = true;
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isRunning || this.#isClosed) return;
    this.#timer ??= setTimeout(() => void this.#run(), this.intervalMs).unref();
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#isRunning = true;
    this.#isRequested = false;
    try {
      await this.task();
    } catch {
      // The reason is that of the outage, which the owner of the connection logs.
      this.#isRequested = true;
    }
    this.#isRunning = false;
    if (this.#isRequested) this.#schedule();
  }
}
