/** What a source holds of a pool. Giving it back twice has no effect. */
export interface Lease {
  /** Takes so much more. @returns false when the pool has no room for it, in which case nothing changes */
  grow(amount: number): boolean;
  /** From now on it is not taken away any more. */
  keep(): void;
  release(): void;
}

export interface SharedPoolOptions {
  /** What there is in all: places, or bytes. */
  readonly total: number;
  /** What no source may hold more of, however much is free. Default: no bound. */
  readonly maxPerSource?: number;
  /**
   * Of what can't be taken away again, a source may hold this many times what is still free: with 4, a single source gets
   * four fifths of the pool. Default 4.
   */
  readonly shareOfFree?: number;
}

interface HeldLease {
  amount: number;
  evict: (() => void) | undefined;
}

interface Holder {
  amount: number;
  readonly leases: Set<HeldLease>;
}

/**
 * A scarce quantity that all sources share, such as connections or bytes in memory. Nobody is refused while there is room,
 * and no source can shut out the others:
 *
 * - What can be taken away (a lease with `evict`) may fill the pool. When it is full, a source that is within its fair share
 *   (the total divided by the number of sources) gets its room from the one that holds most, whose oldest leases are evicted.
 * - Of what can't be taken away, each source may hold only a multiple of what is still free (dynamic thresholds, as network
 *   switches divide their buffers).
 *
 * A bound is checked and counted in one step.
 */
export class SharedPool {
  readonly #holders = new Map<string, Holder>();
  #used = 0;

  constructor(private readonly options: SharedPoolOptions) {}

  /** What is held in all. */
  get used(): number {
    return this.#used;
  }

  /** How many sources hold something. */
  get sources(): number {
    return this.#holders.size;
  }

  heldBy(source: string): number {
    return this.#holders.get(source)?.amount ?? 0;
  }

  /**
   * @param evict takes back what is held, such as by closing the connection; called once at most, after the lease was released
   * @returns undefined when the source may not have that much now
   */
  tryAcquire(source: string, amount: number, evict?: () => void): Lease | undefined {
    const lease: HeldLease = { amount: 0, evict };
    if (!this.#take(source, lease, amount)) return undefined;
    return {
      grow: (more) => this.#take(source, lease, more),
      keep: () => {
        lease.evict = undefined;
      },
      release: () => this.#release(source, lease),
    };
  }

  #take(source: string, lease: HeldLease, amount: number): boolean {
    const { total, maxPerSource = Number.POSITIVE_INFINITY, shareOfFree = 4 } = this.options;
    const holder = this.#holders.get(source);
    // A lease that was evicted or given back does not come to life again.
    if (lease.amount > 0 && !holder?.leases.has(lease)) return false;
    const wanted = (holder?.amount ?? 0) + amount;
    if (wanted > maxPerSource) return false;
    const missing = this.#used + amount - total;
    if (missing > 0 && !(wanted <= this.#fairShare(source) && this.#makeRoom(source, missing))) return false;
    if (lease.evict === undefined && wanted > shareOfFree * (total - this.#used - amount)) return false;
    this.#add(source, lease, amount);
    return true;
  }

  #fairShare(source: string): number {
    const others = this.#holders.size - (this.#holders.has(source) ? 1 : 0);
    return this.options.total / (others + 1);
  }

  /** Evicts leases of those who hold most, and more than their share. @returns whether so much is free now */
  #makeRoom(source: string, amount: number): boolean {
    const fairShare = this.#fairShare(source);
    const goal = this.#used - amount;
    while (this.#used > goal) {
      const victim = this.#largestEvictable(source, fairShare);
      if (victim === undefined) return false;
      const { evict } = victim.lease;
      this.#release(victim.source, victim.lease);
      evict?.();
    }
    return true;
  }

  #largestEvictable(except: string, fairShare: number): { source: string; lease: HeldLease } | undefined {
    let largest: { source: string; lease: HeldLease } | undefined;
    let most = fairShare;
    for (const [source, { amount, leases }] of this.#holders) {
      if (source === except || amount <= most) continue;
      for (const lease of leases) {
        if (lease.evict === undefined || lease.amount === 0) continue;
        largest = { source, lease };
        most = amount;
        break;
      }
    }
    return largest;
  }

  #add(source: string, lease: HeldLease, amount: number): void {
    let holder = this.#holders.get(source);
    if (holder === undefined) {
      holder = { amount: 0, leases: new Set() };
      this.#holders.set(source, holder);
    }
    holder.amount += amount;
    holder.leases.add(lease);
    lease.amount += amount;
    this.#used += amount;
  }

  #release(source: string, lease: HeldLease): void {
    const holder = this.#holders.get(source);
    if (!holder?.leases.delete(lease)) return;
    holder.amount -= lease.amount;
    this.#used -= lease.amount;
    if (holder.leases.size === 0) this.#holders.delete(source);
  }
}
