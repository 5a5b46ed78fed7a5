import type { Clock } from './clock.js';

/** How long a frame may take at any rate. */
const FRAME_GRACE_PERIOD_MS = 60_000;
/** The minimum average rate of a frame from a client after its first minute. Bytes per second. */
export const MIN_FRAME_BYTES_PER_SECOND = 4_096;
const FRAME_CHECK_INTERVAL_MS = 15_000;

/** Detects frames that arrive too slowly. An unfinished frame stays in memory until its end. */
export class SlowFrameDetector {
  #bytes = 0;
  #startedAt = 0;
  #cancel: (() => void) | undefined;

  /** @param onTooSlow called when a frame is slower than {@link MIN_FRAME_BYTES_PER_SECOND} */
  constructor(
    private readonly clock: Clock,
    private readonly onTooSlow: () => void,
  ) {}

  /** @param bytes how much of the arriving frame is in memory; 0 when no frame is arriving */
  onFrameBytes(bytes: number): void {
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
    this.#startedAt = this.clock.now();
    // The timer is reused when a client sends one frame after another.
    this.#cancel ??= this.clock.startTimer(FRAME_GRACE_PERIOD_MS, () => this.#check());
  }

  #check(): void {
    const beyondGrace = this.clock.now() - this.#startedAt - FRAME_GRACE_PERIOD_MS;
    this.#cancel = undefined;
    if (this.#bytes < (beyondGrace / 1_000) * MIN_FRAME_BYTES_PER_SECOND) this.onTooSlow();
    else this.#cancel = this.clock.startTimer(FRAME_CHECK_INTERVAL_MS, () => this.#check());
  }
}
