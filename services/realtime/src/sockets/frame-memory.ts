import type { MemoryAccount } from '@messagebox/brc103';
import { type Lease, SharedPool } from '@messagebox/shared';

/** Memory is asked for in such portions, and not for each packet that comes. */
const STEP_BYTES = 65_536;

/**
 * Memory for frames that are still coming, of sockets whose identity is proven: each has some for itself, and what is beyond
 * that is shared among identities. When it is all taken, whoever has less than its share gets that of those who have most.
 */
export class FrameMemory {
  readonly #pool: SharedPool;

  /**
   * @param ownBytes that each socket has for itself, without asking
   * @param sharedBytes for all sockets together
   * @param onRefused called when a frame is refused, or ended in favour of another
   */
  constructor(
    private readonly ownBytes: number,
    sharedBytes: number,
    private readonly onRefused: () => void,
  ) {
    this.#pool = new SharedPool({ total: sharedBytes });
  }

  /** Bytes that are shared, and taken. */
  get usedBytes(): number {
    return this.#pool.used;
  }

  /**
   * Begins the account of one socket.
   *
   * @param evict ends the socket's connection, with all that it holds
   */
  open(identityKey: string, evict: () => void): MemoryAccount {
    let lease: Lease | undefined;
    let leased = 0;
    const close = () => {
      lease?.release();
      lease = undefined;
      leased = 0;
    };
    const evicted = () => {
      this.onRefused();
      evict();
    };
    const resize = (bytes: number) => {
      const wanted = Math.ceil(Math.max(0, bytes - this.ownBytes) / STEP_BYTES) * STEP_BYTES;
      if (wanted === leased) return true;
      if (wanted < leased) close();
      if (wanted === 0) return true;
      if (lease === undefined) lease = this.#pool.tryAcquire(identityKey, wanted, evicted);
      else if (!lease.grow(wanted - leased)) return this.#refuse();
      if (lease === undefined) return this.#refuse();
      leased = wanted;
      return true;
    };
    return { resize, close };
  }

  #refuse(): false {
    this.onRefused();
    return false;
  }
}
