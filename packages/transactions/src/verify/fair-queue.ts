import type { CostAccounts } from './cost-accounts.js';

/** The queue is full, in all or for this source, or the place was given to a source with a lower cost. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

export interface FairQueueLimits {
  /** Maximum that wait or run at a time. */
  readonly waiting: number;
  /** The same for one source. */
  readonly waitingPerSource: number;
  /** Milliseconds after which a waiting entry is removed. */
  readonly waitMs: number;
}

/** A place in the queue. */
export interface QueueSlot {
  /** Waits for a turn and runs `piece` in it. @throws {QueueFullError} when the place was lost, and what `piece` throws */
  runInTurn<T>(piece: () => Promise<T>): Promise<T>;
}

interface QueueEntry {
  readonly source: string;
  /** The expected cost in milliseconds. */
  readonly expected: number;
  /** The piece of work that waits for its turn. */
  piece: (() => Promise<void>) | undefined;
  isRunning: boolean;
  isEvicted: boolean;
  /** Rejects the promise of the waiting caller. */
  readonly evict: () => void;
}

/**
 * Runs one piece of work at a time. The next one is that with the lowest sum of its source's recent cost and its own
 * expected cost. However many sources ask for expensive work, a cheap request waits for no more than the piece that runs.
 * When the queue is full, a new entry takes the place of the one that would be served last, if it would be served before.
 */
export class FairQueue {
  readonly #entries = new Set<QueueEntry>();
  readonly #counts = new Map<string, number>();
  #isRunning = false;

  constructor(
    private readonly limits: FairQueueLimits,
    private readonly accounts: Pick<CostAccounts, 'getStanding'>,
  ) {}

  /**
   * Keeps a place while `work` runs, which may call {@link QueueSlot.runInTurn} several times.
   *
   * @param source who asks, such as an identity
   * @param expected milliseconds of CPU that the work is expected to cost
   * @throws {QueueFullError}, and what `work` throws
   */
  async enter<T>(source: string, expected: number, work: (place: QueueSlot) => Promise<T>): Promise<T> {
    this.#makeRoom(source, expected);
    return await new Promise<T>((resolve, reject) => {
      const entry: QueueEntry = {
        source,
        expected,
        piece: undefined,
        isRunning: false,
        isEvicted: false,
        evict: () => {
          entry.isEvicted = true;
          this.#remove(entry);
          reject(new QueueFullError());
        },
      };
      this.#entries.add(entry);
      this.#counts.set(source, this.#countBySource(source) + 1);
      const expiry = setTimeout(() => this.#expire(entry), this.limits.waitMs);
      expiry.unref();
      const left = () => {
        clearTimeout(expiry);
        this.#remove(entry);
      };
      work({ runInTurn: (piece) => this.#waitForTurn(entry, piece) })
        .finally(left)
        .then(resolve, reject);
    });
  }

  #countBySource(source: string): number {
    return this.#counts.get(source) ?? 0;
  }

  /** @throws {QueueFullError} when no entry has to give way to this source */
  #makeRoom(source: string, expected: number): void {
    const ofSource = this.#countBySource(source);
    if (ofSource >= this.limits.waitingPerSource) throw new QueueFullError();
    if (this.#entries.size < this.limits.waiting) return;
    const idle = [...this.#entries].filter(({ isRunning }) => !isRunning);
    const last = idle.reduce<QueueEntry | undefined>(
      (worst, entry) => (worst === undefined || this.#getWeight(entry) >= this.#getWeight(worst) ? entry : worst),
      undefined,
    );
    const weight = this.accounts.getStanding(source) + expected * (ofSource + 1);
    if (last === undefined || this.#getWeight(last) <= weight) throw new QueueFullError();
    last.evict();
  }

  /** The cost of the source after all its work in the queue. */
  #getWeight({ source, expected }: QueueEntry): number {
    return this.accounts.getStanding(source) + expected * this.#countBySource(source);
  }

  /** A running piece is not interrupted, but its entry gets no further turn. */
  #expire(entry: QueueEntry): void {
    if (entry.isRunning) entry.isEvicted = true;
    else if (this.#entries.has(entry)) entry.evict();
  }

  #remove(entry: QueueEntry): void {
    if (!this.#entries.delete(entry)) return;
    const left = this.#countBySource(entry.source) - 1;
    if (left === 0) this.#counts.delete(entry.source);
    else this.#counts.set(entry.source, left);
  }

  #waitForTurn<T>(entry: QueueEntry, piece: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (entry.isEvicted) {
        reject(new QueueFullError());
        return;
      }
      entry.piece = () => piece().then(resolve, reject);
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#findNext(); next !== undefined; next = this.#findNext()) {
      const { piece } = next;
      next.piece = undefined;
      next.isRunning = true;
      await piece?.();
      next.isRunning = false;
    }
    this.#isRunning = false;
  }

  /** Among equals, the entry that came first. */
  #findNext(): QueueEntry | undefined {
    let best: QueueEntry | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) {
      if (entry.piece === undefined) continue;
      const weight = this.accounts.getStanding(entry.source) + entry.expected;
      if (weight < least) [best, least] = [entry, weight];
    }
    return best;
  }
}
