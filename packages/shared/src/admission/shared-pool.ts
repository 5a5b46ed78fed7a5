/** A part of a pool that a source holds. */
export interface Lease {
  /** Adds to the lease. @returns false when the pool has no room, and then nothing changes */
  grow(amount: number): boolean;
  /** Protects the lease from eviction from now on. */
  makePermanent(): void;
  /** Gives the lease back. A second call has no effect. */
  release(): void;
}

export interface SharedPoolOptions {
  /** The size of the pool: places, or bytes. */
  readonly total: number;
  /** The maximum for one source, however much is free. Default: none. */
  readonly maxPerSource?: number;
  /**
   * A source may hold this many times the free amount in leases that cannot be evicted. With 4, a single source gets four
   * fifths of the pool. Default 4.
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
 * A scarce resource that all sources share, such as connections or bytes in memory. No source is refused while there is room,
 * and no source can shut out the others:
 *
 * - Leases that can be evicted (with `evict`) may fill the pool. When it is full, a source within its fair share (the total
 *   divided by the number of sources) gets room from the source that holds most, whose oldest leases are evicted.
 * - In leases that cannot be evicted, a source may hold only a multiple of the free amount (dynamic thresholds, as network
 *   switches divide their buffers).
 *
 * A bound is checked and counted in one step.
 */
export class SharedPool {
  readonly #holders = new Map<string, Holder>();
  #used = 0;

  constructor(private readonly options: SharedPoolOptions) {}

  /** The amount that all sources hold. */
  get used(): number {
    return this.#used;
  }

  /** The number of sources that hold a lease. */
  get sources(): number {
    return this.#holders.size;
  }

  getHeldAmount(source: string): number {
    return this.#holders.get(source)?.amount ?? 0;
  }

  /**
   * @param evict frees the resource, for example by closing the connection; called at most once, after the lease was
   *   released. Without it the lease cannot be evicted
   * @returns undefined when the source may not have that amount now
   */
  tryAcquire(source: string, amount: number, evict?: () => void): Lease | undefined {
    const lease: HeldLease = { amount: 0, evict };
    if (!this.#acquire(source, lease, amount)) return undefined;
    return {
      grow: (more) => this.#acquire(source, lease, more),
      makePermanent: () => {
        lease.evict = undefined;
      },
      release: () => this.#release(source, lease),
    };
  }

  #acquire(source: string, lease: HeldLease, amount: number): boolean {
    const { total, maxPerSource = Number.POSITIVE_INFINITY, shareOfFree = 4 } = this.options;
    const holder = this.#holders.get(source);
    // A lease that was evicted or released cannot grow again.
    if (lease.amount > 0 && !holder?.leases.has(lease)) return false;
    const wanted = (holder?.amount ?? 0) + amount;
    if (wanted > maxPerSource) return false;
    const missing = this.#used + amount - total;
    if (missing > 0 && !(wanted <= this.#computeFairShare(source) && this.#makeRoom(source, missing))) return false;
    if (lease.evict === undefined && wanted > shareOfFree * (total - this.#used - amount)) return false;
    this.#add(source, lease, amount);
    return true;
  }

  #computeFairShare(source: string): number {
    const others = this.#holders.size - (this.#holders.has(source) ? 1 : 0);
    return this.options.total / (others + 1);
  }

  /** Evicts leases of the sources that hold most, and more than their fair share. @returns whether the amount is free now */
  #makeRoom(source: string, amount: number): boolean {
    const fairShare = this.#computeFairShare(source);
    const goal = this.#used - amount;
    while (this.#used > goal) {
      const victim = this.#findLargestEvictable(source, fairShare);
      if (victim === undefined) return false;
      const { evict } = victim.lease;
      this.#release(victim.source, victim.lease);
      evict?.();
    }
    return true;
  }

  #findLargestEvictable(except: string, fairShare: number): { source: string; lease: HeldLease } | undefined {
    let largest: { source: string; lease: HeldLease } | undefined;
    let largestAmount = fairShare;
    for (const [source, { amount, leases }] of this.#holders) {
      if (source === except || amount <= largestAmount) continue;
      for (const lease of leases) {
        if (lease.evict === undefined || lease.amount === 0) continue;
        largest = { source, lease };
        largestAmount = amount;
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
