import type { MemoryReservation } from '@messagebox/brc103/socket-io';
import { type Lease, SharedPool } from '@messagebox/shared';

/** Memory is reserved in steps of this size, so that not every packet changes the reservation. */
const ALLOCATION_STEP_BYTES = 65_536;

/**
 * The memory for unfinished frames of sockets with a proven identity. Each socket has some memory of its own; memory beyond
 * it is shared among identities. When the shared memory is full, an identity with less than its share gets memory from the
 * identity that holds most.
 */
export class FrameMemory {
  readonly #pool: SharedPool;

  /**
   * @param ownBytes memory that each socket has for itself
   * @param sharedBytes memory that all sockets share
   * @param onRefused called when a frame is refused, or ended in favour of another identity. Must not throw
   */
  constructor(
    private readonly ownBytes: number,
    sharedBytes: number,
    private readonly onRefused: () => void,
  ) {
    this.#pool = new SharedPool({ total: sharedBytes });
  }

  /** Bytes of the shared memory in use. */
  get usedBytes(): number {
    return this.#pool.used;
  }

  /**
   * Opens the reservation of one socket. It holds no memory yet.
   *
   * @param evict ends the socket's connection when it loses its memory
   */
  open(identityKey: string, evict: () => void): MemoryReservation {
    let lease: Lease | undefined;
    let leased = 0;
    const release = () => {
      lease?.release();
      lease = undefined;
      leased = 0;
    };
    const evicted = () => {
      this.onRefused();
      evict();
    };
    const resize = (bytes: number) => {
      const wanted = Math.ceil(Math.max(0, bytes - this.ownBytes) / ALLOCATION_STEP_BYTES) * ALLOCATION_STEP_BYTES;
      if (wanted === leased) return true;
      if (wanted < leased) release();
      if (wanted === 0) return true;
      if (lease === undefined) lease = this.#pool.tryAcquire(identityKey, wanted, evicted);
      else if (!lease.grow(wanted - leased)) return this.#refuse();
      if (lease === undefined) return this.#refuse();
      leased = wanted;
      return true;
    };
    return { resize, release };
  }

  #refuse(): false {
    this.onRefused();
    return false;
  }
}
