/** Holds calls until a test lets them go on. Open at first. */
export class Gate {
  #open = true;
  readonly #held: (() => void)[] = [];

  /** How many calls are being held. */
  get held(): number {
    return this.#held.length;
  }

  /** Resolves at once while the gate is open, else when it is opened or the call is let through. */
  readonly pass = (): Promise<void> => {
    if (this.#open) return Promise.resolve();
    return new Promise((resolve) => {
      this.#held.push(resolve);
    });
  };

  close(): void {
    this.#open = false;
  }

  /** Lets all go on that are held, and everybody who comes later. */
  open(): void {
    this.#open = true;
    this.letThrough(this.#held.length);
  }

  /** Lets the calls go on that have been held for the longest. */
  letThrough(calls: number): void {
    for (const resolve of this.#held.splice(0, calls)) resolve();
  }
}
