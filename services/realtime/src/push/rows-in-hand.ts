import type { PushOutbox } from '@messagebox/shared';
import type { PushJob } from './push-jobs.js';

/** A row of the outbox and its jobs. */
export interface RowJobs {
  readonly row: number;
  readonly jobs: readonly PushJob[];
}

/** So many ended rows are removed at once: each removal waits for the disk. */
const REMOVED_AT_ONCE = 50;

/**
 * Rows of the outbox whose jobs live in this process only. They stay there, claimed, until all of their jobs have ended,
 * so that what the process does not get to is pushed by the next one.
 */
export class RowsInHand {
  /** Jobs that have not ended, by row. */
  readonly #jobs = new Map<number, Set<string>>();
  readonly #rows = new Map<string, number>();
  readonly #ended = new Set<number>();
  #removing: Promise<void> | undefined;
  #extendedAt = Date.now();

  constructor(
    private readonly outbox: PushOutbox,
    private readonly leaseMs: number,
  ) {}

  has(row: number): boolean {
    return this.#jobs.has(row);
  }

  take(batch: readonly RowJobs[]): void {
    for (const { row, jobs } of batch) {
      this.#jobs.set(row, new Set(jobs.map(({ options }) => options.id)));
      for (const { options } of jobs) this.#rows.set(options.id, row);
      if (jobs.length === 0) this.#ended.add(row);
    }
  }

  /** Their jobs were not kept after all. */
  drop(batch: readonly RowJobs[]): void {
    for (const { row, jobs } of batch) {
      this.#jobs.delete(row);
      this.#ended.delete(row);
      for (const { options } of jobs) this.#rows.delete(options.id);
    }
  }

  jobEnded(job: string): void {
    const row = this.#rows.get(job);
    if (row === undefined) return;
    this.#rows.delete(job);
    const left = this.#jobs.get(row);
    left?.delete(job);
    if (left?.size === 0) this.#ended.add(row);
    // What can't be removed now is removed when it is tended.
    if (this.#ended.size >= REMOVED_AT_ONCE || this.#rows.size === 0) void this.#removeEnded().catch(() => undefined);
  }

  /** To be called regularly: rows keep their lease while their jobs live, and ended ones go. */
  async tend(): Promise<void> {
    await this.#removeEnded();
    const now = Date.now();
    if (now - this.#extendedAt < this.leaseMs / 3) return;
    await this.outbox.extend([...this.#jobs.keys()], this.leaseMs, now);
    this.#extendedAt = now;
  }

  /** Nobody works here any more: the rest is for whoever comes next. */
  async giveBack(): Promise<void> {
    await this.#removing?.catch(() => undefined); // it began before the last ones ended
    await this.#removeEnded();
    await this.outbox.release([...this.#jobs.keys()]);
  }

  #removeEnded(): Promise<void> {
    this.#removing ??= this.#remove([...this.#ended]).finally(() => {
      this.#removing = undefined;
    });
    return this.#removing;
  }

  async #remove(rows: readonly number[]): Promise<void> {
    await this.outbox.remove(rows);
    for (const row of rows) {
      this.#ended.delete(row);
      this.#jobs.delete(row);
    }
  }
}
