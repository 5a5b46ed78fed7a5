import type { CostAccounts } from './cost-accounts.js';

/** There is no room: the queue is full altogether or for this source, or somebody who has cost less needed the place. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

export interface FairQueueLimits {
  /** Most that wait, or run, at a time. */
  readonly waiting: number;
  /** Most of them of one source. */
  readonly waitingOfOne: number;
  /** Milliseconds after which it is no use to wait for a turn any longer. */
  readonly waitMs: number;
}

/** A place in the queue. */
export interface Place {
  /** Waits for a turn and does this in it. @throws {QueueFullError} when the place is lost, and what `piece` throws */
  turn<T>(piece: () => Promise<T>): Promise<T>;
}

interface Entry {
  readonly source: string;
  /** What it is expected to cost, in milliseconds. */
  readonly expected: number;
  /** A piece that waits for its turn. */
  piece: (() => Promise<void>) | undefined;
  isRunning: boolean;
  isLost: boolean;
  /** Makes whoever waits for the place hear that it is lost. */
  readonly lose: () => void;
}

/**
 * One piece of work at a time. The next is the one whose source has cost least lately, what it asks for included: many
 * sources that each ask for something dear delay nobody who asks for something cheap by more than the piece that runs. In
 * a full queue who would be served last loses the place to who would be served before.
 */
export class FairQueue {
  readonly #entries = new Set<Entry>();
  readonly #counts = new Map<string, number>();
  #isRunning = false;

  constructor(
    private readonly limits: FairQueueLimits,
    private readonly accounts: Pick<CostAccounts, 'standingOf'>,
  ) {}

  /**
   * Keeps a place for all that is done in `work`, which may call {@link Place.turn} several times.
   *
   * @param source who asks
   * @param expected milliseconds of CPU that it is expected to cost
   * @throws {QueueFullError}, and what `work` throws
   */
  async enter<T>(source: string, expected: number, work: (place: Place) => Promise<T>): Promise<T> {
    this.#makeRoom(source, expected);
    return await new Promise<T>((resolve, reject) => {
      const entry: Entry = {
        source,
        expected,
        piece: undefined,
        isRunning: false,
        isLost: false,
        lose: () => {
          entry.isLost = true;
          this.#leave(entry);
          reject(new QueueFullError());
        },
      };
      this.#entries.add(entry);
      this.#counts.set(source, this.#countOf(source) + 1);
      const late = setTimeout(() => this.#loseWhenIdle(entry), this.limits.waitMs);
      late.unref();
      const left = () => {
        clearTimeout(late);
        this.#leave(entry);
      };
      work({ turn: (piece) => this.#turn(entry, piece) })
        .finally(left)
        .then(resolve, reject);
    });
  }

  #countOf(source: string): number {
    return this.#counts.get(source) ?? 0;
  }

  /** @throws {QueueFullError} when nobody is to give way to this source */
  #makeRoom(source: string, expected: number): void {
    const ofSource = this.#countOf(source);
    if (ofSource >= this.limits.waitingOfOne) throw new QueueFullError();
    if (this.#entries.size < this.limits.waiting) return;
    const idle = [...this.#entries].filter(({ isRunning }) => !isRunning);
    const last = idle.reduce<Entry | undefined>(
      (worst, entry) => (worst === undefined || this.#weight(entry) >= this.#weight(worst) ? entry : worst),
      undefined,
    );
    const weight = this.accounts.standingOf(source) + expected * (ofSource + 1);
    if (last === undefined || this.#weight(last) <= weight) throw new QueueFullError();
    last.lose();
  }

  /** What the source will have cost when all is done that it has here. */
  #weight({ source, expected }: Entry): number {
    return this.accounts.standingOf(source) + expected * this.#countOf(source);
  }

  /** What runs is not interrupted, but gets no further turn. */
  #loseWhenIdle(entry: Entry): void {
    if (entry.isRunning) entry.isLost = true;
    else if (this.#entries.has(entry)) entry.lose();
  }

  #leave(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    const left = this.#countOf(entry.source) - 1;
    if (left === 0) this.#counts.delete(entry.source);
    else this.#counts.set(entry.source, left);
  }

  #turn<T>(entry: Entry, piece: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (entry.isLost) {
        reject(new QueueFullError());
        return;
      }
      entry.piece = () => piece().then(resolve, reject);
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { piece } = next;
      next.piece = undefined;
      next.isRunning = true;
      await piece?.();
      next.isRunning = false;
    }
    this.#isRunning = false;
  }

  /** Of those that are alike the one that came first. */
  #next(): Entry | undefined {
    let best: Entry | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) {
      if (entry.piece === undefined) continue;
      const weight = this.accounts.standingOf(entry.source) + entry.expected;
      if (weight < least) [best, least] = [entry, weight];
    }
    return best;
  }
}
