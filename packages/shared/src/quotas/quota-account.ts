import type { Amount } from './quota-limits.js';

/** What may be admitted between two reads: this part of the limit, … */
const READ_SHARE = 1 / 100;
/** … and this part of what was free. The same part of it may be under way at a time. */
const FREE_SHARE = 1 / 8;
/** What may be admitted before the first read. */
const UNREAD_SHARE = 1 / 200;
/** Milliseconds from one read to the next, for each message that is summed up: takes about a fifth of it to read. */
const PAUSE_PER_MESSAGE_MS = 1 / 200;

const NOTHING: Amount = { messages: 0, bytes: 0 };

/**
 * What one process knows of one quota's use: the sum of the rows at its last read, and what it has admitted itself and may
 * not be in that sum. Counts that others admit meanwhile are unknown, but every process reads again after admitting one
 * hundredth of the limit, so that together they exceed it by no more than a hundredth for each other process.
 */
export class QuotaAccount {
  #used: Amount | undefined;
  /** Undefined when what the last read said is known to be too much. */
  #readAt: number | undefined;
  #nextReadAt = Number.NEGATIVE_INFINITY;
  /** Admitted, and neither stored nor given up yet. */
  #underWay = NOTHING;
  /** Stored since the last completed read began: whether that read has seen it is unknown. */
  #storedSince = NOTHING;
  /** Stored since a read began that is not completed. */
  #storedDuring = NOTHING;
  #reading: Promise<void> | undefined;
  #waiting: (() => void)[] = [];

  constructor(readonly limit: Amount) {}

  get isBusy(): boolean {
    return this.#underWay.messages > 0 || this.#reading !== undefined;
  }

  /** Whether this can be admitted by what is known, without reading. */
  fits(amount: Amount): boolean {
    return this.#isWithin(amount, (limit, used) =>
      used === undefined ? limit * UNREAD_SHARE : Math.min(limit * READ_SHARE, (limit - used) * FREE_SHARE),
    );
  }

  /** Whether this can be admitted just after a read. Where little is free, one after the other. */
  fitsAfterRead(amount: Amount): boolean {
    if (this.exceededBy(amount) !== undefined) return false;
    const outstanding = plus(this.#underWay, this.#storedSince);
    if (outstanding.messages === 0) return true;
    return this.#isWithin(amount, (limit, used = 0) => (limit - used) * FREE_SHARE);
  }

  /** The resource of which there is not enough left for this by the last read, whatever is under way. */
  exceededBy(amount: Amount): keyof Amount | undefined {
    const used = this.#used ?? NOTHING;
    if (used.messages + amount.messages > this.limit.messages) return 'messages';
    return used.bytes + amount.bytes > this.limit.bytes ? 'bytes' : undefined;
  }

  /** The resource of which less would be left with this and all that is under way. */
  scarcer(amount: Amount): keyof Amount {
    const part = (resource: keyof Amount) =>
      ((this.#used?.[resource] ?? 0) + this.#underWay[resource] + amount[resource]) / this.limit[resource];
    return part('bytes') > part('messages') ? 'bytes' : 'messages';
  }

  /** Whether the last read is younger than this. */
  wasReadSince(time: number): boolean {
    return this.#readAt !== undefined && this.#readAt > time;
  }

  /** Something was deleted: what the last read said is too much. */
  forgetRead(): void {
    this.#readAt = undefined;
  }

  /**
   * Milliseconds until it may be read again. Reading costs by what is stored: whoever sends and acknowledges just below a
   * bound would keep the database busy with little.
   */
  pauseBeforeRead(now: number): number {
    return this.#reading === undefined ? Math.max(0, this.#nextReadAt - now) : 0;
  }

  /** Reads the use. Callers at the same time share one read. */
  refresh(read: () => Promise<Amount>, now: () => number): Promise<void> {
    this.#reading ??= this.#read(read, now).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  reserve(amount: Amount): void {
    this.#underWay = plus(this.#underWay, amount);
  }

  /** What was reserved is stored. */
  settle(amount: Amount): void {
    this.#storedSince = plus(this.#storedSince, amount);
    this.#storedDuring = plus(this.#storedDuring, amount);
    this.release(amount);
  }

  /** What was reserved is not stored. */
  release(amount: Amount): void {
    this.#underWay = minus(this.#underWay, amount);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves when something that is under way now has ended; at once when nothing is. */
  ended(): Promise<void> {
    if (this.#underWay.messages === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #read(read: () => Promise<Amount>, now: () => number): Promise<void> {
    this.#storedDuring = NOTHING;
    const begunAt = now();
    this.#used = await read();
    this.#readAt = begunAt;
    this.#nextReadAt = begunAt + this.#used.messages * PAUSE_PER_MESSAGE_MS;
    this.#storedSince = this.#storedDuring;
  }

  #isWithin(amount: Amount, share: (limit: number, used: number | undefined) => number): boolean {
    const of = (resource: keyof Amount) =>
      this.#underWay[resource] + this.#storedSince[resource] + amount[resource] <=
      share(this.limit[resource], this.#used?.[resource]);
    return of('messages') && of('bytes');
  }
}

function plus(a: Amount, b: Amount): Amount {
  return { messages: a.messages + b.messages, bytes: a.bytes + b.bytes };
}

function minus(a: Amount, b: Amount): Amount {
  return { messages: a.messages - b.messages, bytes: a.bytes - b.bytes };
}
