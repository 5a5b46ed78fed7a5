import { chunks } from './chunks.js';

/** Collects the items of one turn of the event loop, and hands them over at its end in groups of limited size. */
export class TickBatcher<T> {
  #items: T[] = [];

  constructor(
    private readonly maxBatchSize: number,
    private readonly handleBatch: (batch: readonly T[]) => void,
  ) {}

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length > 1) return; // a flush is already scheduled
    setImmediate(() => {
      const all = this.#items;
      this.#items = [];
      for (const batch of chunks(all, this.maxBatchSize)) this.handleBatch(batch);
    });
  }
}
