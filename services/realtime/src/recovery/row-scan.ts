import { setTimeout as delay } from 'node:timers/promises';
import type { MessageHeader, MessageStore } from '@messagebox/store';
import { SeenRows } from './seen-rows.js';

export interface RowScanOptions {
  readonly store: Pick<MessageStore, 'engine' | 'findNewestId' | 'listHeaders'>;
  /** Advances the clock of `DeliveredMessages`. */
  readonly tick: () => number;
  /**
   * Rows are read again when they are this old, in ascending order, to find rows that were committed late. The last one is
   * longer than a transaction may stay open.
   */
  readonly lateAfterMs: readonly number[];
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/**
 * Takes a row that became visible.
 *
 * @param seenAt the time by `DeliveredMessages` before it was read
 * @param isLate whether rows with higher ids were read before
 * @returns false when there is no room: the row and those behind it are read again the next time
 */
export type TakeRow = (header: MessageHeader, seenAt: number, isLate: boolean) => boolean;

const PAGE_ROWS = 1_000;
/** Between full pages, so that a scan of many rows leaves time for others: at most 50,000 rows in a second. */
const PAGE_PAUSE_MS = 20;
/**
 * The most that the time since the last scan counts. While the database does not answer, its transactions do not get on
 * either, so that time does not count.
 */
const MAX_STEP_MS = 2_000;

/**
 * Reads the headers of new rows, each once, in the order of their ids.
 *
 * Row ids are given out before the commit, so a row may appear behind the position of the scan. Therefore each row id is read
 * again later. What was not seen at the first reading was committed late. SQLite has one writer at a time, which gives out an
 * id and commits before the next one, so its rows need no second reading.
 */
export class RowScan {
  readonly #seen = new SeenRows();
  /** The positions of the repeated readings, by their place in `lateAfterMs`. */
  readonly #late: number[];
  /** Where the first reading was at which time of the database, in ascending order. */
  #samples: { readonly atMs: number; readonly position: number }[] = [];
  #position: number | undefined;
  #databaseMs = 0;
  #lastNow: number | undefined;

  constructor(private readonly options: RowScanOptions) {
    this.#late = options.lateAfterMs.map(() => 0);
  }

  /** Whether the scan knows where to begin. */
  get hasBegun(): boolean {
    return this.#position !== undefined;
  }

  /** Notes that the message of a row was delivered live, perhaps after rows with higher ids were read. */
  markSeen(id: number): void {
    if (this.#position !== undefined && id <= this.#position) this.#seen.add(id);
  }

  /** Skips all rows that are visible now. @throws {StoreUnavailableError} */
  async skip(): Promise<void> {
    const newest = await this.options.store.findNewestId();
    const position = Math.max(newest, this.#position ?? 0);
    this.#position = position;
    this.#seen.forget(position);
    this.#late.fill(position);
    this.#recordSample(position);
  }

  /** Reads rows behind the position. @throws {StoreUnavailableError} */
  async readNew(take: TakeRow): Promise<void> {
    for (let isFull = true; isFull; ) {
      const after = this.#position ?? 0;
      const seenAt = this.options.tick();
      const headers = await this.options.store.listHeaders({ after, limit: PAGE_ROWS });
      for (const header of headers) {
        if (!take(header, seenAt, false)) return;
        this.#seen.add(header.id);
        this.#position = header.id;
      }
      isFull = headers.length === PAGE_ROWS;
      if (isFull) await delay(PAGE_PAUSE_MS);
    }
    this.#recordSample(this.#position ?? 0);
  }

  /**
   * Reads rows again that have become old enough.
   *
   * @param all reads again everything that may still be incomplete, whatever its age
   * @throws {StoreUnavailableError}
   */
  async readLate(take: TakeRow, all: boolean): Promise<void> {
    if (this.options.store.engine === 'sqlite') {
      this.#seen.forget(this.#position ?? 0);
      return;
    }
    const [first] = this.#late.slice(-1);
    if (all && first !== undefined) await this.#readAgain(first, this.#position ?? 0, take);
    for (const [i, ms] of this.options.lateAfterMs.entries()) {
      const end = this.#findPosition(this.#databaseMs - ms);
      const start = this.#late[i] as number;
      if (end > start && (await this.#readAgain(start, end, take))) this.#late[i] = end;
    }
    this.#seen.forget(this.#late.at(-1) ?? 0);
  }

  /** @returns whether all rows were taken */
  async #readAgain(start: number, end: number, take: TakeRow): Promise<boolean> {
    for (let after = start; ; ) {
      const seenAt = this.options.tick();
      const headers = await this.options.store.listHeaders({ after, upTo: end, limit: PAGE_ROWS });
      for (const header of headers) {
        if (this.#seen.has(header.id)) continue;
        if (!take(header, seenAt, true)) return false;
        this.#seen.add(header.id);
      }
      const last = headers.at(-1);
      if (last === undefined || headers.length < PAGE_ROWS) return true;
      after = last.id;
      await delay(PAGE_PAUSE_MS);
    }
  }

  #recordSample(position: number): void {
    const now = this.options.now();
    this.#databaseMs += Math.min(now - (this.#lastNow ?? now), MAX_STEP_MS);
    this.#lastNow = now;
    this.#samples.push({ atMs: this.#databaseMs, position });
    const oldest = this.#databaseMs - (this.options.lateAfterMs.at(-1) ?? 0);
    const firstNeeded = this.#samples.findLastIndex(({ atMs }) => atMs <= oldest);
    if (firstNeeded > 0) this.#samples = this.#samples.slice(firstNeeded);
  }

  /** Where the first reading was at this time of the database; 0 when that was before the first sample. */
  #findPosition(atMs: number): number {
    return this.#samples.findLast((sample) => sample.atMs <= atMs)?.position ?? 0;
  }
}
