import pTimeout from 'p-timeout';

/** The count of a key in the current window, of all instances together. */
export interface SharedCount {
  readonly count: number;
  /** Milliseconds until the window ends. */
  readonly msLeft: number;
}

/** Adds up the counts of instances. */
export interface CountStore {
  /**
   * Adds to the counts of keys.
   *
   * @returns the new counts, in the same order
   * @throws when any count could not be added
   */
  add(counts: ReadonlyMap<string, number>): Promise<readonly SharedCount[]>;
}

export interface SharedCountsOptions {
  /** The maximum count of a key in one window, of all instances together. */
  readonly limit: number;
  /** Milliseconds of a clock that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
}

/** The pause before each batch of counts. */
const FLUSH_INTERVAL_MS = 100;
/** The pause after a failure. The next batch then has one key only, so that a hanging store does not collect calls. */
const RETRY_AFTER_MS = 1_000;
const STORE_TIMEOUT_MS = 2_000;
/** Maximum number of keys in one batch. */
const MAX_BATCH = 1_000;
/** Maximum number of keys with shared counts. Further keys are limited by the counts of this process alone. */
const MAX_KEYS = 20_000;
/** A key is shared once this process has counted this part of the limit. Most keys never get there and cost nothing. */
const UNREPORTED_SHARE = 1 / 100;

interface KnownKey {
  /** The last known count of all instances. */
  count: number;
  /** When the window of that count ends. */
  endsAt: number;
  /** Counted here and sent to the store, which has not answered yet. */
  inFlight: number;
  /** Counted here and not sent yet. */
  unsent: number;
}

/**
 * The counts of one limit, shared among instances. Reading and adding never wait: counts are sent to the store in the
 * background, and its answers contain the counts of the others. Counts that could not be sent, because the store is
 * unavailable or hangs, are dropped, so they count only at their own instance.
 */
export class SharedCounts {
  readonly #keys = new Map<string, KnownKey>();
  readonly #unsent = new Set<string>();
  readonly #limit: number;
  readonly #unreportedLimit: number;
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
    this.#unreportedLimit = Math.floor(limit * UNREPORTED_SHARE);
    this.#now = now;
  }

  /** Number of keys with shared counts. */
  get size(): number {
    return this.#keys.size;
  }

  /** @returns milliseconds until the key may have `cost` more, by the last known counts; 0 means now */
  msUntilAllowed(key: string, cost: number): number {
    const known = this.#keys.get(key);
    if (known === undefined) return 0;
    const ms = known.endsAt - this.#now();
    return ms > 0 && known.count + known.inFlight + known.unsent + cost > this.#limit ? ms : 0;
  }

  /**
   * Adds a count.
   *
   * @param ownTotal the count of this process in its own window, including this one
   */
  add(key: string, count: number, ownTotal: number): void {
    if (this.#isClosed || ownTotal <= this.#unreportedLimit) return;
    const known = this.#getOrAddKey(key);
    if (known === undefined) return;
    // The first time, the earlier counts that were too small to share are included.
    known.unsent += ownTotal - count <= this.#unreportedLimit ? ownTotal : count;
    this.#unsent.add(key);
    this.#schedule();
  }

  /** Stops sending. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #getOrAddKey(key: string): KnownKey | undefined {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    if (this.#keys.size >= MAX_KEYS) this.#evictEnded();
    if (this.#keys.size >= MAX_KEYS) return undefined;
    const added = { count: 0, endsAt: Number.NEGATIVE_INFINITY, inFlight: 0, unsent: 0 };
    this.#keys.set(key, added);
    return added;
  }

  #evictEnded(): void {
    const now = this.#now();
    for (const [key, { endsAt, inFlight, unsent }] of this.#keys) {
      if (endsAt <= now && inFlight === 0 && unsent === 0) this.#keys.delete(key);
    }
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isSending || this.#isClosed) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#send();
      },
      this.#isFailing ? RETRY_AFTER_MS : FLUSH_INTERVAL_MS,
    );
    this.#timer.unref();
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    this.#evictEnded();
    const batch = this.#nextBatch();
    this.#isSending = true;
    try {
      const counts = await pTimeout(this.store.add(batch), { milliseconds: STORE_TIMEOUT_MS });
      const now = this.#now();
      [...batch.keys()].forEach((key, i) => {
        const known = this.#keys.get(key);
        const answer = counts[i];
        if (known === undefined || answer === undefined) return;
        known.count = answer.count;
        known.endsAt = now + answer.msLeft;
      });
      this.#isFailing = false;
    } catch {
      this.#isFailing = true;
      for (const key of this.#unsent) this.#resetPending(key, 'unsent');
      this.#unsent.clear();
    } finally {
      for (const key of batch.keys()) this.#resetPending(key, 'inFlight');
      this.#isSending = false;
      if (this.#unsent.size > 0) this.#schedule();
    }
  }

  #nextBatch(): Map<string, number> {
    const maxKeys = this.#isFailing ? 1 : MAX_BATCH;
    const batch = new Map<string, number>();
    for (const key of this.#unsent) {
      if (batch.size >= maxKeys) break;
      const known = this.#keys.get(key);
      this.#unsent.delete(key);
      if (known === undefined) continue;
      batch.set(key, known.unsent);
      known.inFlight = known.unsent;
      known.unsent = 0;
    }
    return batch;
  }

  #resetPending(key: string, field: 'unsent' | 'inFlight'): void {
    const known = this.#keys.get(key);
    if (known !== undefined) known[field] = 0;
  }
}
