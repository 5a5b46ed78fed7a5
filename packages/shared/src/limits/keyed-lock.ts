/** Lets one piece of work run at a time for each key. The others wait in the order of their calls. */
export class KeyedLock {
  /** The waiting work of each key that is locked. */
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Resolves when the key is free. @returns unlocks it; to be called once */
  async acquire(key: string): Promise<() => void> {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, []);
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return () => this.#release(key);
  }

  #release(key: string): void {
    const next = this.#waiting.get(key)?.shift();
    if (next === undefined) this.#waiting.delete(key);
    else next();
  }
}
