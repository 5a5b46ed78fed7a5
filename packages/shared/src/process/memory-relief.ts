import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface MemoryReliefOptions {
  /** Resident memory of the process, bytes. Default: as the system says. */
  readonly residentBytes?: () => number;
  /** The part of the time since the last look for which the event loop was busy, 0 to 1. Default: as Node measures it. */
  readonly busyShare?: () => number;
  /** Collects all garbage. Default: V8's own collector. */
  readonly collect?: () => void;
}

const LOOK_EVERY_MS = 2_000;
/** Growth that is worth a collection, which stops the process for some tens of milliseconds. */
const GROWTH = 1.1;
/** A process with more to do than this collects often enough by itself. */
const MAX_BUSY_SHARE = 0.5;
/** Looks between two collections. */
const PAUSE_LOOKS = 3;

/**
 * Gives memory back after a rush. V8 collects when it allocates: once a rush is over, what it has left behind would be
 * kept for as long as little happens, though the process is idle enough to let it go.
 */
export class MemoryRelief {
  readonly #residentBytes: () => number;
  readonly #busyShare: () => number;
  readonly #collect: () => void;
  readonly #timer: NodeJS.Timeout;
  #usual: number;
  #looksToWait = 0;

  constructor(options: MemoryReliefOptions = {}) {
    this.#residentBytes = options.residentBytes ?? (() => process.memoryUsage.rss());
    this.#busyShare = options.busyShare ?? busyShareOfLoop();
    this.#collect = options.collect ?? collector();
    this.#usual = this.#residentBytes();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Collects when memory has grown since the last time and there is time for it. */
  look(): void {
    const busyShare = this.#busyShare();
    if (this.#looksToWait > 0) {
      this.#looksToWait -= 1;
      return;
    }
    const resident = this.#residentBytes();
    // What is in use now, when nothing was collected, is what a later rush is compared with.
    this.#usual = Math.min(this.#usual, resident);
    if (resident <= this.#usual * GROWTH || busyShare > MAX_BUSY_SHARE) return;
    this.#collect();
    this.#usual = this.#residentBytes();
    this.#looksToWait = PAUSE_LOOKS;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function busyShareOfLoop(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/** `--expose-gc` after the start: V8 makes the function for contexts that come later, and this process has one. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
