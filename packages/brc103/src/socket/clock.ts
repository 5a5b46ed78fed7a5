/** The time, and what is to happen later: injected so that tests own both. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Runs something once, `ms` milliseconds from now.
   *
   * @returns cancels it; harmless when it has run
   */
  after(ms: number, run: () => void): () => void;
}

/** The process's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
