import type { Metrics } from '@messagebox/shared';
import type { OverlayStorage } from './overlay-storage.js';

/** Counted no further. */
const MOST_COUNTED = 1_000_000;
const EVERY_MS = 300_000;

/** Counts from time to time what strangers have put into the database, for the operator to see. */
export class OverlaySize {
  readonly #timer: NodeJS.Timeout;
  #size = { proven: 0, unproven: 0 };
  #counting: Promise<void>;

  constructor(
    private readonly storage: OverlayStorage,
    metrics: Pick<Metrics, 'gauges'>,
  ) {
    metrics.gauges(
      'messagebox_overlay_transactions',
      'Transactions that topics have applied, each counted up to 1,000,000: proven (in a block as far as we know), unproven.',
      'state',
      () => this.#size,
    );
    this.#counting = this.#count();
    this.#timer = setInterval(() => {
      this.#counting = this.#count();
    }, EVERY_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#counting;
  }

  async #count(): Promise<void> {
    try {
      const [proven, unproven] = await Promise.all(
        [true, false].map((isProven) => this.storage.countApplied(isProven, MOST_COUNTED)),
      );
      this.#size = { proven: proven ?? 0, unproven: unproven ?? 0 };
    } catch {
      // Why, whoever needs the database says.
    }
  }
}
