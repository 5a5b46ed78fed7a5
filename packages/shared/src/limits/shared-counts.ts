import { within } from './within.js';

/** What all instances together have counted of a key in the window that runs now. */
export interface SharedCount {
  readonly count: number;
  /** Milliseconds until the window ends. */
  readonly msLeft: number;
}

/** Adds up what instances count. */
export interface CountStore {
  /**
   * Adds to the counts of keys.
   *
   * @returns the new counts, in the same order
   * @throws when any of them could not be added
   */
  add(counts: ReadonlyMap<string, number>): Promise<readonly SharedCount[]>;
}

export interface SharedCountsOptions {
  /** What a key may have in one window, of all instances together. */
  readonly limit: number;
  /** Milliseconds of a clock that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
}

/** What was counted goes to the store in batches, with so long a pause before each. */
const FLUSH_MS = 100;
/** After a failure, one key is tried so long afterwards: what hangs is not given more and more to hold. */
const RETRY_MS = 1_000;
/** An answer that takes longer counts as none. */
const PATIENCE_MS = 2_000;
/** Keys of one batch; the others go with the next. */
const MAX_BATCH = 1_000;
/** Keys that are known at a time; of others only this process's own count goes. */
const MAX_KEYS = 20_000;
/** What a key has had here of the limit before it is told to others: most keys never cost the store anything. */
const UNTOLD_SHARE = 1 / 100;

interface KnownKey {
  /** Of all instances, as the store has last said it. */
  count: number;
  /** When the window of that count ends, by the clock. */
  endsAt: number;
  /** Counted here, and on its way to the store. */
  underWay: number;
  /** Counted here since. */
  unsent: number;
}

/**
 * What a limit knows of other instances' counts. Asking and adding never wait: what was added goes to the store in the
 * background, and its answer says what others have added. While the store is away or hangs, nothing is kept for it: counts of
 * that time stay with their instance.
 */
export class SharedCounts {
  readonly #keys = new Map<string, KnownKey>();
  readonly #unsent = new Set<string>();
  readonly #limit: number;
  readonly #untold: number;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #isSending = false;
  #isFailing = false;
  #isClosed = false;

  constructor(
    private readonly store: CountStore,
    { limit, now = () => performance.now() }: SharedCountsOptions,
  ) {
    this.#limit = limit;
    this.#untold = Math.floor(limit * UNTOLD_SHARE);
    this.#now = now;
  }

  /** Keys that something is known of. */
  get size(): number {
    return this.#keys.size;
  }

  /** @returns milliseconds until the key may have `cost` more, as far as is known; 0: now */
  msUntilRoom(key: string, cost: number): number {
    const known = this.#keys.get(key);
    if (known === undefined) return 0;
    const ms = known.endsAt - this.#now();
    return ms > 0 && known.count + known.underWay + known.unsent + cost > this.#limit ? ms : 0;
  }

  /**
   * Adds what was counted.
   *
   * @param ownTotal what this process has counted in its own window by now, this included
   */
  add(key: string, count: number, ownTotal: number): void {
    if (this.#isClosed || ownTotal <= this.#untold) return;
    const known = this.#know(key);
    if (known === undefined) return;
    // What was too little to tell until now is told with it.
    known.unsent += ownTotal - count <= this.#untold ? ownTotal : count;
    this.#unsent.add(key);
    this.#schedule();
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #know(key: string): KnownKey | undefined {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    if (this.#keys.size >= MAX_KEYS) this.#forgetEnded();
    if (this.#keys.size >= MAX_KEYS) return undefined;
    const added = { count: 0, endsAt: Number.NEGATIVE_INFINITY, underWay: 0, unsent: 0 };
    this.#keys.set(key, added);
    return added;
  }

  #forgetEnded(): void {
    const now = this.#now();
    for (const [key, { endsAt, underWay, unsent }] of this.#keys) {
      if (endsAt <= now && underWay === 0 && unsent === 0) this.#keys.delete(key);
    }
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isSending || this.#isClosed) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#send();
      },
      this.#isFailing ? RETRY_MS : FLUSH_MS,
    );
    this.#timer.unref();
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    this.#forgetEnded();
    const batch = this.#nextBatch();
    this.#isSending = true;
    try {
      const counts = await within(PATIENCE_MS, this.store.add(batch));
      const now = this.#now();
      [...batch.keys()].forEach((key, i) => {
        const known = this.#keys.get(key);
        const told = counts[i];
        if (known === undefined || told === undefined) return;
        known.count = told.count;
        known.endsAt = now + told.msLeft;
      });
      this.#isFailing = false;
    } catch {
      this.#isFailing = true;
      for (const key of this.#unsent) this.#settle(key, 'unsent');
      this.#unsent.clear();
    } finally {
      for (const key of batch.keys()) this.#settle(key, 'underWay');
      this.#isSending = false;
      if (this.#unsent.size > 0) this.#schedule();
    }
  }

  #nextBatch(): Map<string, number> {
    const most = this.#isFailing ? 1 : MAX_BATCH;
    const batch = new Map<string, number>();
    for (const key of this.#unsent) {
      if (batch.size >= most) break;
      const known = this.#keys.get(key);
      this.#unsent.delete(key);
      if (known === undefined) continue;
      batch.set(key, known.unsent);
      known.underWay = known.unsent;
      known.unsent = 0;
    }
    return batch;
  }

  #settle(key: string, what: 'unsent' | 'underWay'): void {
    const known = this.#keys.get(key);
    if (known !== undefined) known[what] = 0;
  }
}
