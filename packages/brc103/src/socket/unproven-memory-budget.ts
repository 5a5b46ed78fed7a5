/**
 * The memory that all connections without a proven identity share, in addition to the memory that each of them always has. One
 * connection gets at most as much as is left for all others. So no connection can take all of it, and small frames of honest
 * clients are still accepted under attack.
 */
export class UnprovenMemoryBudget {
  #used = 0;

  /**
   * @param totalBytes the memory that all connections share
   * @param freeBytesPerConnection the memory that each connection has in addition
   * @param onRefused called when there is not enough memory. Must not throw
   */
  constructor(
    private readonly totalBytes: number,
    private readonly freeBytesPerConnection: number,
    private readonly onRefused: () => void = () => {},
  ) {}

  /** How many bytes of the shared memory are in use. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Opens the account of one connection. */
  createReservation(): MemoryReservation {
    let held = 0;
    return {
      resize: (bytes) => {
        const [before, after] = [this.#countSharedBytes(held), this.#countSharedBytes(bytes)];
        const others = this.#used - before;
        if (after > before && after > this.totalBytes - others - after) {
          this.onRefused();
          return false;
        }
        this.#used = others + after;
        held = bytes;
        return true;
      },
      release: () => {
        this.#used -= this.#countSharedBytes(held);
        held = 0;
      },
    };
  }

  #countSharedBytes(bytes: number): number {
    return Math.max(0, bytes - this.freeBytesPerConnection);
  }
}

/** The memory that one connection uses, counted against a limit that connections share. */
export interface MemoryReservation {
  /**
   * Sets how many bytes the connection uses.
   *
   * @returns false when that is too much; then the account is unchanged
   */
  resize(bytes: number): boolean;
  /** Returns all of the memory. */
  release(): void;
}
