/** A moment in the past. Its age stays right when the clock of the system is changed, and when the machine was suspended. */
export class Moment {
  readonly #wallMs = Date.now();
  // It never goes back, but it may stand still while the machine is suspended. The wall clock does the opposite.
  readonly #steadyMs = performance.now();

  /** Milliseconds since this moment. When the clocks disagree, the larger number. */
  get ageMs(): number {
    return Math.max(performance.now() - this.#steadyMs, Date.now() - this.#wallMs);
  }

  /** In whole milliseconds since 1970, by the clock of the system as it is now. */
  get time(): number {
    return Math.floor(Date.now() - this.ageMs);
  }

  isBefore(other: Moment): boolean {
    return this.#steadyMs < other.#steadyMs;
  }
}

/** The earlier of two moments, of which the first may be missing. */
export function earlier(one: Moment | undefined, other: Moment): Moment {
  return one?.isBefore(other) === true ? one : other;
}
