import { type Lease, SharedPool, TooManyRequestsError } from '@messagebox/shared';
import type { Response } from 'express';

/** Smaller responses are not counted, because the operating system buffers them. */
const MIN_COUNTED_BYTES = 65_536;
const RETRY_AFTER_SECONDS = 1;

/** The reserved bytes of one response that its client has not received yet. */
export interface ResponseReservation {
  /**
   * Reserves this many bytes instead of the earlier ones.
   *
   * @throws {TooManyRequestsError} when there is no room; nothing is reserved then
   */
  reserve(bytes: number): void;
}

/**
 * Limits the memory of responses that their clients have not received yet. When the memory is full, an identity within its
 * fair share still gets room: the oldest responses of the identity that holds most are cut off.
 */
export class ResponseMemory {
  readonly #pool: SharedPool;

  /** @param onRefused called for each response that is refused. Must not throw */
  constructor(
    totalBytes: number,
    private readonly onRefused: () => void,
  ) {
    this.#pool = new SharedPool({ total: totalBytes });
  }

  /** Bytes that are reserved now. */
  get used(): number {
    return this.#pool.used;
  }

  /** Opens the reservation of a response to this identity. It ends when the response is sent or its client is gone. */
  open(identityKey: string, response: Response): ResponseReservation {
    let lease: Lease | undefined;
    response.once('close', () => lease?.release());
    return {
      reserve: (bytes) => {
        lease?.release();
        lease = undefined;
        if (bytes < MIN_COUNTED_BYTES || response.destroyed) return;
        lease = this.#pool.tryAcquire(identityKey, bytes, () => response.destroy());
        if (lease !== undefined) return;
        this.onRefused();
        throw new TooManyRequestsError(RETRY_AFTER_SECONDS);
      },
    };
  }
}
