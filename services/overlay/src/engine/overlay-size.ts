import type { Logger, Metrics, SqlClient } from '@messagebox/shared';
import { OverlayStorage } from './overlay-storage.js';

/** Counted no further. */
const MOST_COUNTED = 1_000_000;
/** Bytes of BEEFs and spends. The messages' database is no place for all that strangers may think of. */
const MOST_BYTES = 2 * 1024 ** 3;
const EVERY_MS = 60_000;
/** From this part of the bytes on, everybody has a share of what is in no block. */
const SHARED_FROM = 1 / 2;
/** The share, as a part of all bytes. */
const SHARE = 1 / 64;
/** From this part of the bytes on, room is made. */
const CROWDED_FROM = 9 / 10;
/** How often at a time. */
const MOST_ROUNDS = 100;

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
  #bytes = 0;
  #makeRoom: () => Promise<boolean> = async () => false;
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
    this.#timer = setInterval(() => void this.recount(), everyMs);
    this.#timer.unref();
  }

  /** Whether there is as much as there may be, when it was counted last. */
  readonly isFull = (): boolean => this.#bytes >= this.#mostBytes;

  /** Bytes in no block that one may have brought; undefined while there is room for everybody. */
  readonly share = (): number | undefined =>
    this.#bytes >= this.#mostBytes * SHARED_FROM ? this.#mostBytes * SHARE : undefined;

  /** @param makeRoom called as often as it helps, each time that little room is left; false: it can't help any more */
  onCrowded(makeRoom: () => Promise<boolean>): void {
    this.#makeRoom = makeRoom;
  }

  /** Counts now, and makes room when there is little. Never rejects: why it could not, whoever needs the database says. */
  async recount(): Promise<void> {
    this.#counting = this.#counting.then(() => this.#count());
    await this.#counting;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#counting;
  }

  /** Whoever has brought most gives way, so that there is always room for others. */
  async #relieve(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS && this.#bytes >= this.#mostBytes * CROWDED_FROM; round += 1) {
      if (round === 0) this.log.warn({ bytes: this.#bytes }, 'the overlay is crowded: the largest submitters give way');
      if (!(await this.#makeRoom())) return;
      this.#bytes = await this.#storage.bytesKept();
    }
  }

  async #count(): Promise<void> {
    try {
      const [proven, unproven, bytes] = await Promise.all([
        this.#storage.countApplied(true, MOST_COUNTED),
        this.#storage.countApplied(false, MOST_COUNTED),
        this.#storage.bytesKept(),
      ]);
      this.#size = { proven, unproven };
      const wasFull = this.isFull();
      this.#bytes = bytes;
      if (this.isFull() && !wasFull) {
        this.log.error({ bytes }, 'the overlay is full: what is in no block is not taken');
      }
      await this.#relieve();
    } catch {
      // Why, whoever needs the database says.
    }
  }
}
