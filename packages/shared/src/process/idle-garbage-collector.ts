import { createHeapCollector } from './collect-heap.js';

export interface IdleGarbageCollectorOptions {
  /** Resident memory of the process, in bytes. Default: the system's value. */
  readonly residentBytes?: () => number;
  /** The share of the time since the last check for which the event loop was busy, 0 to 1. Default: Node's measurement. */
  readonly busyShare?: () => number;
  /** Collects all garbage, and moves objects together if it may. Default: {@link createHeapCollector}. */
  readonly collect?: (mayCompact: boolean) => void;
}

const CHECK_INTERVAL_MS = 2_000;
/** Memory must have grown by this factor. A collection stops the process for some tens of milliseconds. */
const MIN_GROWTH = 1.1;
/** A process that is busier than this collects often enough by itself. */
const MAX_BUSY_SHARE = 0.5;
/** Moving objects takes so long that clients would notice. So nearly no client may be there. */
const MAX_BUSY_SHARE_TO_COMPACT = 0.1;
const MIN_CHECKS_BETWEEN_COLLECTIONS = 3;

/**
 * Returns memory to the system after a peak of work. V8 collects garbage only when it allocates, so an idle process would
 * keep the garbage of the peak for as long as little happens.
 */
export class IdleGarbageCollector {
  readonly #residentBytes: () => number;
  readonly #busyShare: () => number;
  readonly #collect: (mayCompact: boolean) => void;
  readonly #timer: NodeJS.Timeout;
  #baselineBytes: number;
  #checksToSkip = 0;
  /** Whether the last collection could not move objects because clients were there. */
  #mustCompact = false;

  constructor(options: IdleGarbageCollectorOptions = {}) {
    this.#residentBytes = options.residentBytes ?? (() => process.memoryUsage.rss());
    this.#busyShare = options.busyShare ?? createBusyShareMeter();
    this.#collect = options.collect ?? createHeapCollector();
    this.#baselineBytes = this.#residentBytes();
    this.#timer = setInterval(() => this.check(), CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  /**
   * Collects garbage when memory has grown since the last collection and the process is idle enough. What could not be
   * compacted then is compacted when the process is nearly idle.
   */
  check(): void {
    const busyShare = this.#busyShare();
    if (this.#checksToSkip > 0) {
      this.#checksToSkip -= 1;
      return;
    }
    const resident = this.#residentBytes();
    // Memory may also shrink without a collection, and later growth is measured from the lower value.
    this.#baselineBytes = Math.min(this.#baselineBytes, resident);
    const mayCompact = busyShare <= MAX_BUSY_SHARE_TO_COMPACT;
    const hasGrown = resident > this.#baselineBytes * MIN_GROWTH && busyShare <= MAX_BUSY_SHARE;
    if (!hasGrown && !(this.#mustCompact && mayCompact)) return;
    this.#collect(mayCompact);
    this.#mustCompact = !mayCompact;
    this.#baselineBytes = this.#residentBytes();
    this.#checksToSkip = MIN_CHECKS_BETWEEN_COLLECTIONS;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function createBusyShareMeter(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
