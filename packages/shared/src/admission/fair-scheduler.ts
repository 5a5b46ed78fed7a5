import { LRUCache } from 'lru-cache';
import { TooManyRequestsError } from '../limits/rate-limit.js';
import type { Source } from './source.js';

export interface FairSchedulerOptions {
  /** Work of one turn of the event loop, before input and output get their turn. Milliseconds; default 4. */
  readonly sliceMs?: number;
  /** After this time half of what a source has cost is forgotten. Milliseconds; default 2,000. */
  readonly halfLifeMs?: number;
  /** Pieces of work that may wait for one address. Default 2,000. */
  readonly maxWaitingPerAddress?: number;
  /** Work that has waited for so long is refused. Milliseconds; default 10,000. */
  readonly maxWaitMs?: number;
  /** Told of each piece of work that is refused. Must not throw. */
  readonly onRefused?: () => void;
  /** Milliseconds of a clock that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
}

interface Waiting {
  readonly since: number;
  run(): void;
  refuse(error: Error): void;
}

/** What somebody has cost, and what of theirs waits. */
interface Account {
  /** Milliseconds of work, as of `updatedAt`; it decays. */
  cost: number;
  updatedAt: number;
}

interface AddressAccount extends Account {
  readonly identities: Map<string, IdentityAccount>;
  waiting: number;
}

interface IdentityAccount extends Account {
  readonly queue: Waiting[];
}

/** Addresses whose cost is remembered while nothing of theirs waits. */
const MAX_IDLE_ADDRESSES = 20_000;
/** Identities of one address whose cost is remembered. */
const MAX_IDENTITIES = 200;
/** Work of an address before its client has said who it is. */
const ANONYMOUS = '';

/**
 * Divides the time of this process's event loop among those who ask for it.
 *
 * Work runs at once while there is room in the current turn of the loop. Otherwise it waits, and whoever has cost least of
 * late goes next: among addresses first, then among the identities of that address. The cost is measured, not guessed. So a
 * client that asks for much delays mostly itself, and one that asks for little hardly notices.
 */
export class FairScheduler {
  readonly #sliceMs: number;
  readonly #halfLifeMs: number;
  readonly #maxWaiting: number;
  readonly #maxWaitMs: number;
  readonly #onRefused: () => void;
  readonly #now: () => number;
  readonly #accounts: LRUCache<string, AddressAccount>;
  /** Addresses of which something waits. */
  readonly #waiting = new Map<string, AddressAccount>();
  #waitingCount = 0;
  #usedInTurn = 0;
  #isTurnEndScheduled = false;

  constructor(options: FairSchedulerOptions = {}) {
    this.#sliceMs = options.sliceMs ?? 4;
    this.#halfLifeMs = options.halfLifeMs ?? 2_000;
    this.#maxWaiting = options.maxWaitingPerAddress ?? 2_000;
    this.#maxWaitMs = options.maxWaitMs ?? 10_000;
    this.#onRefused = options.onRefused ?? (() => {});
    this.#now = options.now ?? (() => performance.now());
    this.#accounts = new LRUCache({ max: MAX_IDLE_ADDRESSES });
  }

  /** Pieces of work that wait. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /**
   * Runs `work`, which must not wait for anything, when it is its source's turn.
   *
   * @param weight multiplies what it costs its source
   * @throws {TooManyRequestsError} when too much of this address waits, or this has waited for too long
   */
  run<T>(source: Source, work: () => T, weight = 1): Promise<T> {
    if (this.#waitingCount === 0 && this.#usedInTurn < this.#sliceMs) {
      try {
        return Promise.resolve(this.#measure(source, work, weight));
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return new Promise((resolve, reject) => {
      this.#enqueue(source, {
        since: this.#now(),
        refuse: reject,
        run: () => {
          try {
            resolve(this.#measure(source, work, weight));
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  /** Charges a source for what was done for it elsewhere, or as a penalty. Milliseconds of work. */
  charge(source: Source, ms: number): void {
    const now = this.#now();
    const address = this.#accountOf(source.address, now);
    address.cost = this.#costOf(address, now) + ms;
    address.updatedAt = now;
    const identity = this.#identityOf(address, source.identityKey, now);
    identity.cost = this.#costOf(identity, now) + ms;
    identity.updatedAt = now;
  }

  #measure<T>(source: Source, work: () => T, weight: number): T {
    const start = this.#now();
    try {
      return work();
    } finally {
      const ms = this.#now() - start;
      this.#usedInTurn += ms;
      this.#endTurnLater();
      this.charge(source, ms * weight);
    }
  }

  #enqueue(source: Source, item: Waiting): void {
    const now = this.#now();
    const address = this.#accountOf(source.address, now);
    if (address.waiting >= this.#maxWaiting) {
      this.#refuse(item);
      return;
    }
    this.#identityOf(address, source.identityKey, now).queue.push(item);
    address.waiting += 1;
    this.#waiting.set(source.address, address);
    this.#waitingCount += 1;
    this.#endTurnLater();
  }

  #refuse(item: Waiting): void {
    this.#onRefused();
    item.refuse(new TooManyRequestsError(1));
  }

  #endTurnLater(): void {
    if (this.#isTurnEndScheduled) return;
    this.#isTurnEndScheduled = true;
    setImmediate(() => {
      this.#isTurnEndScheduled = false;
      this.#usedInTurn = 0;
      this.#drain();
    });
  }

  /** Runs what waits until the slice of this turn is used up. */
  #drain(): void {
    while (this.#waitingCount > 0 && this.#usedInTurn < this.#sliceMs) {
      const item = this.#takeNext();
      if (item === undefined) break;
      if (this.#now() - item.since > this.#maxWaitMs) this.#refuse(item);
      else item.run();
    }
    if (this.#waitingCount > 0) this.#endTurnLater();
  }

  /** The oldest work of the identity that has cost least, of the address that has cost least. */
  #takeNext(): Waiting | undefined {
    const now = this.#now();
    const next = this.#cheapest(this.#waiting, now, () => true);
    if (next === undefined) return undefined;
    const [addressKey, address] = next;
    const [, identity] = this.#cheapest(address.identities, now, ({ queue }) => queue.length > 0) ?? [];
    const item = identity?.queue.shift();
    address.waiting -= 1;
    this.#waitingCount -= 1;
    if (address.waiting === 0) this.#waiting.delete(addressKey);
    return item;
  }

  #cheapest<A extends Account>(
    accounts: ReadonlyMap<string, A>,
    now: number,
    isEligible: (account: A) => boolean,
  ): [string, A] | undefined {
    let best: [string, A] | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const entry of accounts) {
      if (!isEligible(entry[1])) continue;
      const cost = this.#costOf(entry[1], now);
      if (cost < bestCost) {
        best = entry;
        bestCost = cost;
      }
    }
    return best;
  }

  #accountOf(address: string, now: number): AddressAccount {
    let account = this.#waiting.get(address) ?? this.#accounts.get(address);
    if (account === undefined) {
      account = { cost: 0, updatedAt: now, identities: new Map(), waiting: 0 };
      this.#accounts.set(address, account);
    }
    return account;
  }

  #identityOf(address: AddressAccount, identityKey: string = ANONYMOUS, now: number): IdentityAccount {
    let account = address.identities.get(identityKey);
    if (account === undefined) {
      account = { cost: 0, updatedAt: now, queue: [] };
      if (address.identities.size >= MAX_IDENTITIES) forgetOneIdle(address.identities);
      address.identities.set(identityKey, account);
    }
    return account;
  }

  #costOf(account: Account, now: number): number {
    const age = now - account.updatedAt;
    return age <= 0 ? account.cost : account.cost * 2 ** (-age / this.#halfLifeMs);
  }
}

function forgetOneIdle(identities: Map<string, IdentityAccount>): void {
  for (const [key, { queue }] of identities) {
    if (queue.length > 0) continue;
    identities.delete(key);
    return;
  }
}
