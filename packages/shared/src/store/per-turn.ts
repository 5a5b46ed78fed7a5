/** Gathers what comes in one turn of the event loop, and hands it over at its end in groups of at most so many. */
export class PerTurn<T> {
  #waiting: T[] = [];

  constructor(
    private readonly most: number,
    private readonly handle: (group: readonly T[]) => void,
  ) {}

  add(item: T): void {
    this.#waiting.push(item);
    if (this.#waiting.length > 1) return; // somebody else's coming has scheduled it
    setImmediate(() => {
      const all = this.#waiting;
      this.#waiting = [];
      for (let start = 0; start < all.length; start += this.most) this.handle(all.slice(start, start + this.most));
    });
  }
}
