import type { Clock } from './clock.js';

/** So long a frame may take in any case. Milliseconds. */
const GRACE_MS = 60_000;
/** What must have come of a frame for each second that it takes longer. */
export const MIN_FRAME_BYTES_PER_SECOND = 4_096;
const LOOK_EVERY_MS = 15_000;

/** Watches that a frame which has begun comes to an end: what has come of it is held in memory until then. */
export class FramePace {
  #bytes = 0;
  #since = 0;
  #cancel: (() => void) | undefined;

  /** @param onTooSlow called when less has come than must have by now */
  constructor(
    private readonly clock: Clock,
    private readonly onTooSlow: () => void,
  ) {}

  /** @param bytes that are held of the frame which is coming; 0 when none is */
  receiving(bytes: number): void {
    const isAnother = bytes < this.#bytes;
    this.#bytes = bytes;
    if (bytes === 0) this.stop();
    else if (isAnother || this.#cancel === undefined) this.#start();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #start(): void {
    this.#since = this.clock.now();
    // Of a client that sends one frame after the other, the timer goes on.
    this.#cancel ??= this.clock.after(GRACE_MS, () => this.#look());
  }

  #look(): void {
    const beyondGrace = this.clock.now() - this.#since - GRACE_MS;
    this.#cancel = undefined;
    if (this.#bytes < (beyondGrace / 1_000) * MIN_FRAME_BYTES_PER_SECOND) this.onTooSlow();
    else this.#cancel = this.clock.after(LOOK_EVERY_MS, () => this.#look());
  }
}
