/** The default limit; `docs/limits.md` lists it. A row takes 8 bytes. */
export const MAX_SEEN_ROWS = 500_000;

/**
 * Remembers which row ids a scan has seen. What it has not seen before, and a later scan finds below, was committed late.
 */
export class SeenRows {
  #floor = 0;
  /** Ascending. */
  #ids: number[] = [];
  /** Ids that were added behind higher ones. */
  readonly #late = new Set<number>();

  constructor(private readonly maxRows = MAX_SEEN_ROWS) {}

  /** The number of ids that are remembered. */
  get size(): number {
    return this.#ids.length + this.#late.size;
  }

  add(id: number): void {
    if (id <= this.#floor) return;
    const last = this.#ids.at(-1);
    if (last === undefined || id > last) this.#ids.push(id);
    else if (!this.has(id)) this.#late.add(id);
    // Half of them at once, so that this is rare.
    if (this.size > this.maxRows) this.forget(this.#ids[this.#ids.length >> 1] ?? id);
  }

  /** Whether the id was added, or forgotten. */
  has(id: number): boolean {
    if (id <= this.#floor || this.#late.has(id)) return true;
    return this.#ids[this.#findIndex(id)] === id;
  }

  /** Forgets this id and all lower ones. All of them count as seen. */
  forget(upTo: number): void {
    if (upTo <= this.#floor) return;
    this.#floor = upTo;
    this.#ids = this.#ids.slice(this.#findIndex(upTo + 1));
    for (const id of this.#late) if (id <= upTo) this.#late.delete(id);
  }

  /** The index of the first id that is not lower. */
  #findIndex(id: number): number {
    let [low, high] = [0, this.#ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
