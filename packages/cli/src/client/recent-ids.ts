/** Remembers the last ids, and forgets the oldest first. */
export class RecentIds {
  readonly #ids = new Set<string>();

  /** @param max how many are remembered */
  constructor(private readonly max: number) {}

  /** @returns false when the id is remembered already */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > this.max && oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }
}
