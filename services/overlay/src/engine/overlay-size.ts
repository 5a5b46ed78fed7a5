import type { Logger, Metrics, SqlClient } from '@messagebox/shared';
import { OverlayStorage } from './overlay-storage.js';

/** Counted no further. */
const MOST_COUNTED = 1_000_000;
/** Bytes of BEEFs and spends. The messages' database is no place for all that strangers may think of. */
const MOST_BYTES = 2 * 1024 ** 3;
const EVERY_MS = 60_000;

export interface OverlaySizeSettings {
  readonly mostBytes?: number;
  readonly everyMs?: number;
}

/** Counts from time to time what strangers have put into the database: for the operator to see, and to end it. */
export class OverlaySize {
  readonly #storage: OverlayStorage;
  readonly #timer: NodeJS.Timeout;
  readonly #mostBytes: number;
  #size = { proven: 0, unproven: 0 };
  #isFull = false;
  #counting: Promise<void>;

  constructor(
    sql: SqlClient,
    metrics: Pick<Metrics, 'gauges'>,
    private readonly log: Logger,
    { mostBytes = MOST_BYTES, everyMs = EVERY_MS }: OverlaySizeSettings = {},
  ) {
    this.#storage = new OverlayStorage(sql);
    metrics.gauges(
      'messagebox_overlay_transactions',
      'Transactions that topics have applied, each counted up to 1,000,000: proven (in a block as far as we know), unproven.',
      'state',
      () => this.#size,
    );
    this.#mostBytes = mostBytes;
    this.#counting = this.#count();
    this.#timer = setInterval(() => {
      this.#counting = this.#count();
    }, everyMs);
    this.#timer.unref();
  }

  /** Whether there is as much as there may be, when it was counted last. */
  readonly isFull = (): boolean => this.#isFull;

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#counting;
  }

  async #count(): Promise<void> {
    try {
      const [proven, unproven, bytes] = await Promise.all([
        this.#storage.countApplied(true, MOST_COUNTED),
        this.#storage.countApplied(false, MOST_COUNTED),
        this.#storage.bytesKept(),
      ]);
      this.#size = { proven, unproven };
      const isFull = bytes >= this.#mostBytes;
      if (isFull && !this.#isFull) this.log.error({ bytes }, 'the overlay is full: what is in no block is not taken');
      this.#isFull = isFull;
    } catch {
      // Why, whoever needs the database says.
    }
  }
}
