import type { StorageAmount } from '@messagebox/store';

/** Part of the limit that may be admitted between two reads. */
const READ_SHARE = 1 / 100;
/** Part of the free amount that may be admitted between two reads, and that may be in flight at a time. */
const FREE_SHARE = 1 / 8;
/** Part of the limit that may be admitted before the first read. */
const UNREAD_SHARE = 1 / 200;
/** Milliseconds between two reads, for each message in the sum. A read takes about a fifth of this time. */
const READ_PAUSE_PER_MESSAGE_MS = 1 / 200;

const ZERO: StorageAmount = { messages: 0, bytes: 0 };

/**
 * The use of one quota as far as one process knows it: the sum of the rows at the last read, and the messages that the process
 * has admitted itself, which that sum may not contain. Messages that other processes admit meanwhile are unknown. But every
 * process reads again after it has admitted one hundredth of the limit, so together they exceed the limit by at most one
 * hundredth for each other process.
 */
export class QuotaAccount {
  #used: StorageAmount | undefined;
  /** Undefined when the result of the last read is known to be too high. */
  #readAt: number | undefined;
  #nextReadAt = Number.NEGATIVE_INFINITY;
  /** Admitted, and neither stored nor released yet. */
  #inFlight = ZERO;
  /** Stored since the last completed read began. That read may or may not have seen it. */
  #storedSince = ZERO;
  /** Stored since the present read began. */
  #storedDuring = ZERO;
  #reading: Promise<void> | undefined;
  #waiting: (() => void)[] = [];

  constructor(readonly limit: StorageAmount) {}

  /** Whether something is in flight or being read. */
  get isBusy(): boolean {
    return this.#inFlight.messages > 0 || this.#reading !== undefined;
  }

  /** Whether this can be admitted without a read. */
  fits(amount: StorageAmount): boolean {
    return this.#isWithin(amount, (limit, used) =>
      used === undefined ? limit * UNREAD_SHARE : Math.min(limit * READ_SHARE, (limit - used) * FREE_SHARE),
    );
  }

  /** Whether this can be admitted just after a read. When little is free, sends are admitted one after the other. */
  fitsAfterRead(amount: StorageAmount): boolean {
    if (this.findExceeded(amount) !== undefined) return false;
    const outstanding = addAmounts(this.#inFlight, this.#storedSince);
    if (outstanding.messages === 0) return true;
    return this.#isWithin(amount, (limit, used = 0) => (limit - used) * FREE_SHARE);
  }

  /** The resource whose limit this exceeds according to the last read, without the amount in flight. */
  findExceeded(amount: StorageAmount): keyof StorageAmount | undefined {
    const used = this.#used ?? ZERO;
    if (used.messages + amount.messages > this.limit.messages) return 'messages';
    return used.bytes + amount.bytes > this.limit.bytes ? 'bytes' : undefined;
  }

  /** The resource whose limit this would exceed if all that is in flight, or stored since the last read, counted as well. */
  findScarce(amount: StorageAmount): keyof StorageAmount | undefined {
    return this.findExceeded(addAmounts(amount, addAmounts(this.#inFlight, this.#storedSince)));
  }

  /** Whether the last read is later than this time. */
  wasReadSince(time: number): boolean {
    return this.#readAt !== undefined && this.#readAt > time;
  }

  /** Discards the time of the last read, whose result is too high because messages were deleted. */
  invalidateRead(): void {
    this.#readAt = undefined;
  }

  /**
   * Milliseconds until the next read is allowed. The cost of a read grows with the stored amount, so a client that sends and
   * acknowledges just below a limit could keep the database busy with little effort.
   */
  msUntilRead(now: number): number {
    return this.#reading === undefined ? Math.max(0, this.#nextReadAt - now) : 0;
  }

  /** Reads the use. Concurrent callers share one read. */
  refresh(read: () => Promise<StorageAmount>, now: () => number): Promise<void> {
    this.#reading ??= this.#read(read, now).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Counts an amount as in flight. */
  reserve(amount: StorageAmount): void {
    this.#inFlight = addAmounts(this.#inFlight, amount);
  }

  /** Records that a reserved amount was stored. */
  settle(amount: StorageAmount): void {
    this.#storedSince = addAmounts(this.#storedSince, amount);
    this.#storedDuring = addAmounts(this.#storedDuring, amount);
    this.release(amount);
  }

  /** Records that a reserved amount is not in flight any more. */
  release(amount: StorageAmount): void {
    this.#inFlight = subtractAmounts(this.#inFlight, amount);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves when a reserved amount is settled or released; at once when there is none. */
  waitForRelease(): Promise<void> {
    if (this.#inFlight.messages === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #read(read: () => Promise<StorageAmount>, now: () => number): Promise<void> {
    this.#storedDuring = ZERO;
    const begunAt = now();
    this.#used = await read();
    this.#readAt = begunAt;
    this.#nextReadAt = begunAt + this.#used.messages * READ_PAUSE_PER_MESSAGE_MS;
    this.#storedSince = this.#storedDuring;
  }

  #isWithin(amount: StorageAmount, share: (limit: number, used: number | undefined) => number): boolean {
    const isResourceWithin = (resource: keyof StorageAmount) =>
      this.#inFlight[resource] + this.#storedSince[resource] + amount[resource] <=
      share(this.limit[resource], this.#used?.[resource]);
    return isResourceWithin('messages') && isResourceWithin('bytes');
  }
}

function addAmounts(a: StorageAmount, b: StorageAmount): StorageAmount {
  return { messages: a.messages + b.messages, bytes: a.bytes + b.bytes };
}

function subtractAmounts(a: StorageAmount, b: StorageAmount): StorageAmount {
  return { messages: a.messages - b.messages, bytes: a.bytes - b.bytes };
}
