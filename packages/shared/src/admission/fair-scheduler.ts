import { LRUCache } from 'lru-cache';
import { TooManyRequestsError } from '../limits/rate-limit.js';
import { LoopOverhead } from './loop-overhead.js';
import type { Source } from './source.js';

export interface FairSchedulerOptions {
  /** Work of one turn of the event loop, before input and output get their turn. Milliseconds; default 1. */
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
  /** Milliseconds that the event loop has been busy for. Default: as Node measures it. */
  readonly busyMs?: () => number;
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
  /** Until then it counts as one whose clients prove who they are. */
  provenUntil: number;
  /** Milliseconds that were used in the turn of this number. */
  usedInTurn: number;
  turn: number;
}

/** An address that has had work done, and when it last had. */
interface Activity {
  readonly address: string;
  at: number;
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
/** An address that uses less of the loop than this needs not wait for those who use more. */
const LIGHT_SHARE = 1 / 4;
/** An address that uses more of the loop than this leaves gaps, as long as there are others. */
const HEAVY_SHARE = 3 / 10;
/** How long the gap after a heavy address's work is, in units of that work: 1 leaves half of the loop's time to others. */
const GAP = 1;
const MAX_GAP_MS = 1_000;
/** The cost of an address counts so many times when nobody there has proven an identity for a while. */
const UNPROVEN_WEIGHT = 4;
const PROVEN_MS = 600_000;
/** All that bypasses the queue in one turn, in units of a slice. */
const MAX_BYPASS_SLICES = 4;
/** Others count as present for so long after their last work. */
const PRESENT_MS = 2_000;

/**
 * Divides the time of this process's event loop among those who ask for it.
 *
 * Work runs at once while there is room in the current turn of the loop. Otherwise it waits, and whoever has cost least of
 * late goes next: among addresses first, then among the identities of that address. The cost is measured, not guessed. So a
 * client that asks for much delays mostly itself, and one that asks for little hardly notices.
 *
 * Everything else that the loop does (parsing, input and output, the database's driver) is charged to the sources in
 * proportion to their measured work.
 *
 * An address that uses little does not even wait for the next turn. One that uses a large part of the loop by itself, while
 * others use little, gets no more than half of it: otherwise each step of each request of the others would meet its work.
 * The same holds for all addresses together of which nobody has proven an identity of late, and what they cost counts more.
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
  #turn = 0;
  #isTurnEndScheduled = false;
  /** Cost of an address that has used the whole loop for long. */
  readonly #fullCost: number;
  /** The address that last had work done without being heavy, and the last one before it that was another. */
  #latest: Activity = { address: '', at: Number.NEGATIVE_INFINITY };
  #previous: Activity = this.#latest;
  /** What addresses without a proven identity have cost together. */
  readonly #unproven: Account = { cost: 0, updatedAt: 0 };
  readonly #overhead: LoopOverhead;
  /** Until then the work of heavy addresses waits. */
  #gapUntil = Number.NEGATIVE_INFINITY;
  #gapTimer: NodeJS.Timeout | undefined;

  constructor(options: FairSchedulerOptions = {}) {
    this.#sliceMs = options.sliceMs ?? 1;
    this.#halfLifeMs = options.halfLifeMs ?? 2_000;
    this.#maxWaiting = options.maxWaitingPerAddress ?? 2_000;
    this.#maxWaitMs = options.maxWaitMs ?? 10_000;
    this.#onRefused = options.onRefused ?? (() => {});
    this.#now = options.now ?? (() => performance.now());
    this.#overhead = new LoopOverhead(this.#now, options.busyMs);
    this.#fullCost = this.#halfLifeMs / Math.LN2;
    this.#accounts = new LRUCache({ max: MAX_IDLE_ADDRESSES });
  }

  /** Pieces of work that wait. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /**
   * Runs `work`, which must not wait for anything, when it is its source's turn.
   *
   * @param alsoMs what will be done elsewhere because of it, such as reading what it lets come; milliseconds
   * @throws {TooManyRequestsError} when too much of this address waits, or this has waited for too long
   */
  run<T>(source: Source, work: () => T, alsoMs = 0): Promise<T> {
    if (this.#mayRunNow(source)) {
      try {
        return Promise.resolve(this.#measure(source, work, alsoMs));
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
            resolve(this.#measure(source, work, alsoMs));
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  /** Somebody at this address has just proven an identity. */
  noteProven({ address }: Source): void {
    const now = this.#now();
    this.#accountOf(address, now).provenUntil = now + PROVEN_MS;
  }

  /** Charges a source for what was done for it elsewhere, or as a penalty. Milliseconds of work. */
  charge(source: Source, ms: number): void {
    const now = this.#now();
    const address = this.#accountOf(source.address, now);
    const isProven = address.provenUntil > now;
    add(address, this.#costOf(address, now) + ms * (isProven ? 1 : UNPROVEN_WEIGHT), now);
    if (!isProven) add(this.#unproven, this.#costOf(this.#unproven, now) + ms, now);
    if (!this.#isHeavy(address, now)) {
      this.#noteLight(source.address, now);
    } else if (this.#hasOthers(source.address, now)) {
      this.#gapUntil = Math.min(Math.max(now, this.#gapUntil) + ms * GAP, now + MAX_GAP_MS);
    }
    const identity = this.#identityOf(address, source.identityKey, now);
    add(identity, this.#costOf(identity, now) + ms, now);
  }

  #mayRunNow({ address }: Source): boolean {
    const now = this.#now();
    const account = this.#accountOf(address, now);
    if (account.waiting > 0) return false;
    if (now < this.#gapUntil && this.#mustLeaveGaps(address, account, now)) return false;
    if (this.#waitingCount === 0 && this.#usedInTurn < this.#sliceMs) return true;
    if (this.#usedInTurn >= this.#sliceMs * MAX_BYPASS_SLICES || account.provenUntil <= now) return false;
    const usedInTurn = account.turn === this.#turn ? account.usedInTurn : 0;
    return usedInTurn < this.#sliceMs && this.#costOf(account, now) < this.#fullCost * LIGHT_SHARE;
  }

  #mustLeaveGaps(address: string, account: AddressAccount, now: number): boolean {
    return this.#isHeavy(account, now) && this.#hasOthers(address, now);
  }

  /** By itself, or as one of those of whom nobody has proven an identity. */
  #isHeavy(account: AddressAccount, now: number): boolean {
    const limit = this.#fullCost * HEAVY_SHARE;
    if (this.#costOf(account, now) > limit) return true;
    return account.provenUntil <= now && this.#costOf(this.#unproven, now) > limit;
  }

  /** Whether another address was there of late that is not heavy: between heavy ones alone, gaps would help nobody. */
  #hasOthers(address: string, now: number): boolean {
    const other = this.#latest.address === address ? this.#previous : this.#latest;
    return now - other.at < PRESENT_MS;
  }

  #noteLight(address: string, now: number): void {
    if (this.#latest.address === address) {
      this.#latest.at = now;
    } else {
      this.#previous = this.#latest;
      this.#latest = { address, at: now };
    }
  }

  #measure<T>(source: Source, work: () => T, alsoMs: number): T {
    const start = this.#now();
    try {
      return work();
    } finally {
      const ms = this.#now() - start;
      this.#overhead.note(ms);
      this.#use(source.address, ms + alsoMs);
      this.charge(source, ms * this.#overhead.factor + alsoMs);
    }
  }

  #use(address: string, ms: number): void {
    const account = this.#accountOf(address, this.#now());
    account.usedInTurn = ms + (account.turn === this.#turn ? account.usedInTurn : 0);
    account.turn = this.#turn;
    this.#usedInTurn += ms;
    this.#endTurnLater();
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
      this.#turn += 1;
      this.#drain();
    });
  }

  /** When only heavy addresses wait, the loop rests until the gap is over. */
  #endGapLater(): void {
    if (this.#gapTimer !== undefined) return;
    this.#gapTimer = setTimeout(
      () => {
        this.#gapTimer = undefined;
        this.#gapUntil = Number.NEGATIVE_INFINITY;
        this.#endTurnLater();
      },
      Math.ceil(this.#gapUntil - this.#now()),
    );
  }

  /** Runs what waits until the slice of this turn is used up. */
  #drain(): void {
    while (this.#waitingCount > 0 && this.#usedInTurn < this.#sliceMs) {
      const item = this.#takeNext();
      if (item === undefined) {
        this.#endGapLater();
        return;
      }
      if (this.#now() - item.since > this.#maxWaitMs) this.#refuse(item);
      else item.run();
    }
    if (this.#waitingCount > 0) this.#endTurnLater();
  }

  /**
   * The oldest work of the identity that has cost least, of the address that has cost least. Undefined when all that waits
   * has to leave a gap first.
   */
  #takeNext(): Waiting | undefined {
    const now = this.#now();
    const isGap = now < this.#gapUntil;
    const next = this.#cheapest(
      this.#waiting,
      now,
      (key, account) => !isGap || !this.#mustLeaveGaps(key, account, now),
    );
    if (next === undefined) return undefined;
    const [addressKey, address] = next;
    const [, identity] = this.#cheapest(address.identities, now, (_key, { queue }) => queue.length > 0) ?? [];
    const item = identity?.queue.shift();
    address.waiting -= 1;
    this.#waitingCount -= 1;
    if (address.waiting === 0) this.#waiting.delete(addressKey);
    return item;
  }

  #cheapest<A extends Account>(
    accounts: ReadonlyMap<string, A>,
    now: number,
    isEligible: (key: string, account: A) => boolean,
  ): [string, A] | undefined {
    let best: [string, A] | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const entry of accounts) {
      if (!isEligible(...entry)) continue;
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
      account = {
        cost: 0,
        updatedAt: now,
        identities: new Map(),
        waiting: 0,
        provenUntil: Number.NEGATIVE_INFINITY,
        usedInTurn: 0,
        turn: 0,
      };
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

function add(account: Account, cost: number, now: number): void {
  account.cost = cost;
  account.updatedAt = now;
}

function forgetOneIdle(identities: Map<string, IdentityAccount>): void {
  for (const [key, { queue }] of identities) {
    if (queue.length > 0) continue;
    identities.delete(key);
    return;
  }
}
