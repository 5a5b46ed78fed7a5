/** The source of time and timers. Tests pass their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Calls `run` once, `ms` milliseconds from now.
   *
   * @returns a function that cancels the call; it does nothing after the call
   */
  startTimer(ms: number, run: () => void): () => void;
}

/** The clock and the timers of the process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  startTimer(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
