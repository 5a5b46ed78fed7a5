/**
 * Memory that connections without a proven identity may take beyond what each of them always has: one total for the
 * process, shared so that nobody can take all of it. One connection gets at most as much as is left to all others, so
 * what remains shrinks by halves and honest small frames go on being taken.
 */
export class UnprovenMemory {
  #used = 0;

  /**
   * @param totalBytes for all connections together
   * @param ownBytes that each connection has for itself, without asking
   * @param onRefused called when there is no room. Must not throw
   */
  constructor(
    private readonly totalBytes: number,
    private readonly ownBytes: number,
    private readonly onRefused: () => void = () => {},
  ) {}

  /** Bytes of the total that are taken. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Begins the account of one connection. */
  open(): MemoryAccount {
    let held = 0;
    return {
      resize: (bytes) => {
        const [before, after] = [this.#beyondOwn(held), this.#beyondOwn(bytes)];
        const others = this.#used - before;
        if (after > before && after > this.totalBytes - others - after) {
          this.onRefused();
          return false;
        }
        this.#used = others + after;
        held = bytes;
        return true;
      },
      close: () => {
        this.#used -= this.#beyondOwn(held);
        held = 0;
      },
    };
  }

  #beyondOwn(bytes: number): number {
    return Math.max(0, bytes - this.ownBytes);
  }
}

/** The memory that one connection holds. */
export interface MemoryAccount {
  /**
   * Says how many bytes are held from now on.
   *
   * @returns false when that is too much; then nothing has changed
   */
  resize(bytes: number): boolean;
  /** Gives everything back. */
  close(): void;
}
