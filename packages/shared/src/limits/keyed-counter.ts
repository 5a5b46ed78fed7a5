/** Counts things by a key. A key with a count of 0 takes no memory. */
export class KeyedCounter {
  readonly #counts = new Map<string, number>();

  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /**
   * Counts one more.
   *
   * @returns a function that counts one less; call it once
   */
  increment(key: string): () => void {
    this.#counts.set(key, this.get(key) + 1);
    return () => {
      const remaining = this.get(key) - 1;
      if (remaining > 0) this.#counts.set(key, remaining);
      else this.#counts.delete(key);
    };
  }
}
