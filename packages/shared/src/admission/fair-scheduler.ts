import { TooManyRequestsError } from '../limits/rate-limit.js';
import { FairQueue } from './fair-queue.js';
import { LoopGaps } from './loop-gaps.js';
import { LoopOverhead } from './loop-overhead.js';
import type { Source } from './source.js';
import { type Account, type AddressAccount, SourceAccounts, type WaitingWork } from './source-accounts.js';

export interface FairSchedulerOptions {
  /** Work in one turn of the event loop before input and output get their turn. Milliseconds; default 1. */
  readonly sliceMs?: number;
  /** After this time half of a source's cost is forgotten. Milliseconds; default 2,000. */
  readonly halfLifeMs?: number;
  /** Pieces of work that may wait for one address. Default 2,000. */
  readonly maxWaitingPerAddress?: number;
  /** Work that has waited for longer is refused. Milliseconds; default 10,000. */
  readonly maxWaitMs?: number;
  /** Is called for each piece of work that is refused. Must not throw. */
  readonly onRefused?: () => void;
  /** Milliseconds of a clock that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
  /** Milliseconds for which the event loop has been busy. Default: Node's measurement. */
  readonly busyMs?: () => number;
}

/** The maximum of work that bypasses the queue in one turn, in slices. */
const MAX_BYPASS_SLICES = 4;

/**
 * Divides the time of this process's event loop among sources.
 *
 * Work runs at once while there is room in the current turn of the loop. Otherwise it waits, and the source with the lowest
 * recent cost is next: first among addresses, then among the identities of that address. The cost is measured and not
 * estimated. So a client that asks for much delays mostly itself, and a client that asks for little hardly notices. The cost
 * of an identity counts at all its addresses.
 *
 * All other work of the loop (parsing, input and output, the database driver) is charged to the sources in proportion to
 * their measured work.
 *
 * An address that uses little does not even wait for the next turn. An address that uses a large part of the loop, while
 * others use little, gets at most half of the loop: otherwise each step of each request of the others would wait for its
 * work. The same holds for all addresses together that have no proven identity, and their cost counts more.
 */
export class FairScheduler {
  readonly #sliceMs: number;
  readonly #maxWaiting: number;
  readonly #maxWaitMs: number;
  readonly #onRefused: () => void;
  readonly #now: () => number;
  readonly #accounts: SourceAccounts;
  readonly #queue: FairQueue;
  readonly #overhead: LoopOverhead;
  readonly #gaps = new LoopGaps();
  #usedInTurn = 0;
  #turn = 0;
  #isTurnEndScheduled = false;
  #gapTimer: NodeJS.Timeout | undefined;

  constructor(options: FairSchedulerOptions = {}) {
    this.#sliceMs = options.sliceMs ?? 1;
    this.#maxWaiting = options.maxWaitingPerAddress ?? 2_000;
    this.#maxWaitMs = options.maxWaitMs ?? 10_000;
    this.#onRefused = options.onRefused ?? (() => {});
    this.#now = options.now ?? (() => performance.now());
    this.#accounts = new SourceAccounts(options.halfLifeMs ?? 2_000);
    this.#queue = new FairQueue(this.#accounts);
    this.#overhead = new LoopOverhead(this.#now, options.busyMs);
  }

  /** Pieces of work that wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Runs `work` when its source is next. `work` must be synchronous.
   *
   * @param alsoMs work elsewhere that this work causes, such as reading the data that it asks for; milliseconds
   * @throws {TooManyRequestsError} when too much work of this address waits, or this work has waited for too long
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

  /** Notes that a client at this address has just proven its identity. */
  noteProven({ address }: Source): void {
    this.#accounts.noteProven(address, this.#now());
  }

  /** Charges a source for work that was done elsewhere, or as a penalty. Milliseconds of work. */
  charge(source: Source, ms: number): void {
    const now = this.#now();
    const address = this.#accounts.getAddress(source.address, now);
    const { account: identity } = this.#accounts.getIdentity(address, source, now);
    this.#accounts.charge(address, identity, ms, now);
    if (!this.#accounts.isHeavy(address, identity, now)) {
      this.#gaps.noteLightAddress(source.address, now);
    } else if (this.#gaps.hasOtherLightAddress(source.address, now)) {
      this.#gaps.extend(ms, now);
    }
  }

  #mayRunNow(source: Source): boolean {
    const now = this.#now();
    const address = this.#accounts.getAddress(source.address, now);
    if (address.waiting > 0) return false;
    const identity = this.#accounts.getIdentity(address, source, now).account;
    if (this.#mustLeaveGap(source.address, address, identity, now)) return false;
    if (this.#queue.size === 0 && this.#usedInTurn < this.#sliceMs) return true;
    if (this.#usedInTurn >= this.#sliceMs * MAX_BYPASS_SLICES || address.provenUntil <= now) return false;
    const usedInTurn = address.turn === this.#turn ? address.usedInTurn : 0;
    return usedInTurn < this.#sliceMs && this.#accounts.isLight(address, identity, now);
  }

  #mustLeaveGap(key: string, address: AddressAccount, identity: Account, now: number): boolean {
    return (
      this.#gaps.isInGap(now) &&
      this.#accounts.isHeavy(address, identity, now) &&
      this.#gaps.hasOtherLightAddress(key, now)
    );
  }

  #measure<T>(source: Source, work: () => T, alsoMs: number): T {
    const start = this.#now();
    try {
      return work();
    } finally {
      const ms = this.#now() - start;
      this.#overhead.record(ms);
      this.#addUsedTime(source.address, ms + alsoMs);
      this.charge(source, ms * this.#overhead.factor + alsoMs);
    }
  }

  #addUsedTime(key: string, ms: number): void {
    const address = this.#accounts.getAddress(key, this.#now());
    address.usedInTurn = ms + (address.turn === this.#turn ? address.usedInTurn : 0);
    address.turn = this.#turn;
    this.#usedInTurn += ms;
    this.#scheduleTurnEnd();
  }

  #enqueue(source: Source, item: WaitingWork): void {
    const now = this.#now();
    if (this.#accounts.getAddress(source.address, now).waiting >= this.#maxWaiting) {
      this.#refuse(item);
      return;
    }
    this.#queue.enqueue(source, item, now);
    this.#scheduleTurnEnd();
  }

  #refuse(item: WaitingWork): void {
    this.#onRefused();
    item.refuse(new TooManyRequestsError(1));
  }

  #scheduleTurnEnd(): void {
    if (this.#isTurnEndScheduled) return;
    this.#isTurnEndScheduled = true;
    setImmediate(() => {
      this.#isTurnEndScheduled = false;
      this.#usedInTurn = 0;
      this.#turn += 1;
      this.#drain();
    });
  }

  /** Pauses until the gap ends, when only heavy addresses wait. */
  #scheduleGapEnd(): void {
    if (this.#gapTimer !== undefined) return;
    this.#gapTimer = setTimeout(
      () => {
        this.#gapTimer = undefined;
        this.#gaps.end();
        this.#scheduleTurnEnd();
      },
      Math.ceil(this.#gaps.msLeft(this.#now())),
    );
  }

  /** Runs waiting work until the slice of this turn is used up. */
  #drain(): void {
    while (this.#queue.size > 0 && this.#usedInTurn < this.#sliceMs) {
      const now = this.#now();
      const item = this.#queue.dequeue(now, (...source) => this.#mustLeaveGap(...source, now));
      if (item === undefined) {
        this.#scheduleGapEnd();
        return;
      }
      if (this.#now() - item.since > this.#maxWaitMs) this.#refuse(item);
      else item.run();
    }
    if (this.#queue.size > 0) this.#scheduleTurnEnd();
  }
}
