/**
 * Runs tasks one after the other within a lane, and lanes beside each other: what must happen in the order of sending
 * (sends into one room) shares a lane. Tasks must not reject.
 */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();
  #running = 0;

  /** Tasks that have not ended. */
  get running(): number {
    return this.#running;
  }

  run(lane: string, task: () => Promise<void>): void {
    this.#running += 1;
    const tail = (this.#tails.get(lane) ?? Promise.resolve()).then(task).finally(() => {
      this.#running -= 1;
      if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
    });
    this.#tails.set(lane, tail);
  }

  /** Resolves when all tasks that run now have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}
