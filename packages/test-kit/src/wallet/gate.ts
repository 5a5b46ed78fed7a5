/** Holds calls back until a test lets them continue. Open at first. */
export class Gate {
  #open = true;
  readonly #held: (() => void)[] = [];

  /** How many calls are held back. */
  get held(): number {
    return this.#held.length;
  }

  /** Resolves at once while the gate is open, or else when it is opened or the call is released. */
  readonly pass = (): Promise<void> => {
    if (this.#open) return Promise.resolve();
    return new Promise((resolve) => {
      this.#held.push(resolve);
    });
  };

  /** Holds back all later calls. */
  close(): void {
    this.#open = false;
  }

  /** Lets all held calls continue, and all later calls pass. */
  open(): void {
    this.#open = true;
    this.release(this.#held.length);
  }

  /** Lets this many calls continue, the oldest first. */
  release(calls: number): void {
    for (const resolve of this.#held.splice(0, calls)) resolve();
  }
}
