/** Keeps those with the highest amounts. Memory is bounded: twice `size` entries at most. */
export class Ranking<T> {
  #entries: T[] = [];

  /** @param compare like that of `sort`: the first of two comes first */
  constructor(
    private readonly size: number,
    private readonly compare: (a: T, b: T) => number,
  ) {}

  add(entry: T): void {
    this.#entries.push(entry);
    if (this.#entries.length >= this.size * 2) this.#cut();
  }

  /** The first `size` entries, in their order. */
  list(): readonly T[] {
    this.#cut();
    return this.#entries;
  }

  #cut(): void {
    this.#entries.sort(this.compare);
    this.#entries.length = Math.min(this.#entries.length, this.size);
  }
}
