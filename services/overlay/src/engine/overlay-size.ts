import type { Logger, Metrics } from '@messagebox/shared';
import type { SqlClient } from '@messagebox/store';
import { OverlayStorage } from '../storage/overlay-storage.js';

/** Larger counts are shown as this one. */
const MAX_COUNTED = 1_000_000;
/** Bytes of BEEFs and spends. Strangers fill the overlay, and it shares its database with the messages. */
const DEFAULT_MAX_OVERLAY_BYTES = 2 * 1024 ** 3;
const COUNT_INTERVAL_MS = 60_000;
/** Above this part of the bytes, each submitter has a share for unproven transactions. */
const SHARE_THRESHOLD = 1 / 2;
/** The share, as a part of all bytes. */
const SHARE = 1 / 64;
/** Above this part of the bytes, unproven transactions are removed. */
const CROWDED_THRESHOLD = 9 / 10;
/** Rounds of eviction after each count. */
const MAX_EVICTION_ROUNDS = 100;

export interface OverlaySizeOptions {
  readonly maxBytes?: number;
  readonly intervalMs?: number;
}

/** Measures regularly how much strangers have stored in the overlay, for metrics and for the limits of its size. */
export class OverlaySize {
  readonly #storage: OverlayStorage;
  readonly #timer: NodeJS.Timeout;
  readonly #maxBytes: number;
  #size = { proven: 0, unproven: 0 };
  #bytes = 0;
  #makeRoom: () => Promise<boolean> = async () => false;
  #counting: Promise<void>;

  constructor(
    sql: SqlClient,
    metrics: Pick<Metrics, 'addLabelledGauge'>,
    private readonly log: Logger,
    { maxBytes = DEFAULT_MAX_OVERLAY_BYTES, intervalMs = COUNT_INTERVAL_MS }: OverlaySizeOptions = {},
  ) {
    this.#storage = new OverlayStorage(sql);
    metrics.addLabelledGauge(
      'messagebox_overlay_transactions',
      'Transactions that topics have applied, each counted up to 1,000,000: proven (known to be in a block), unproven.',
      'state',
      () => this.#size,
    );
    this.#maxBytes = maxBytes;
    this.#counting = this.#count();
    this.#timer = setInterval(() => void this.recount(), intervalMs);
    this.#timer.unref();
  }

  /** Whether the overlay was full at the last count. */
  readonly isFull = (): boolean => this.#bytes >= this.#maxBytes;

  /** The bytes of unproven transactions that one submitter may have; undefined: any number. */
  readonly share = (): number | undefined =>
    this.#bytes >= this.#maxBytes * SHARE_THRESHOLD ? this.#maxBytes * SHARE : undefined;

  /**
   * Sets the function that makes room when the overlay is crowded.
   *
   * @param makeRoom called until there is room, or until it resolves to false because it can remove nothing
   */
  onCrowded(makeRoom: () => Promise<boolean>): void {
    this.#makeRoom = makeRoom;
  }

  /** Counts now, and makes room when the overlay is crowded. Never rejects; other users of the database log its errors. */
  async recount(): Promise<void> {
    this.#counting = this.#counting.then(() => this.#count());
    await this.#counting;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#counting;
  }

  /** Removes transactions of the largest submitters, so that there is always room for others. */
  async #evictWhenCrowded(): Promise<void> {
    for (let round = 0; round < MAX_EVICTION_ROUNDS && this.#bytes >= this.#maxBytes * CROWDED_THRESHOLD; round += 1) {
      if (round === 0)
        this.log.warn(
          { bytes: this.#bytes },
          'the overlay is crowded: transactions of the largest submitters are removed',
        );
      if (!(await this.#makeRoom())) return;
      this.#bytes = await this.#storage.sumStoredBytes();
    }
  }

  async #count(): Promise<void> {
    try {
      const [proven, unproven, bytes] = await Promise.all([
        this.#storage.applied.count(true, MAX_COUNTED),
        this.#storage.applied.count(false, MAX_COUNTED),
        this.#storage.sumStoredBytes(),
      ]);
      this.#size = { proven, unproven };
      const wasFull = this.isFull();
      this.#bytes = bytes;
      if (this.isFull() && !wasFull) {
        this.log.error({ bytes }, 'the overlay is full: only mined transactions and revocations are accepted');
      }
      await this.#evictWhenCrowded();
    } catch {
      // Other users of the database log its errors.
    }
  }
}
