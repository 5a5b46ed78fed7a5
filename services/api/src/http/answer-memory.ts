import { type Lease, SharedPool, TooManyRequestsError } from '@messagebox/shared';
import type { Response } from 'express';

/** Smaller answers are not counted: the operating system takes them at once. */
const MIN_COUNTED_BYTES = 65_536;
const RETRY_AFTER_SECONDS = 1;

/** Bytes of an answer that its client has not taken yet. */
export interface HeldAnswer {
  /**
   * From now on so many bytes are held, in place of those before.
   *
   * @throws {TooManyRequestsError} when there is no room: then none are
   */
  hold(bytes: number): void;
}

/**
 * Bounds what answers hold that wait to be taken, in all and by identity. When it is full, an identity within its fair share
 * gets room: the oldest answers of the one that holds most are cut off.
 */
export class AnswerMemory {
  readonly #pool: SharedPool;

  /** @param onRefused told of each answer for which there was no room. Must not throw */
  constructor(
    totalBytes: number,
    private readonly onRefused: () => void,
  ) {
    this.#pool = new SharedPool({ total: totalBytes });
  }

  /** Bytes that are held now. */
  get used(): number {
    return this.#pool.used;
  }

  /** What this answer to this identity holds, until it has been taken or its client is gone. */
  open(identityKey: string, response: Response): HeldAnswer {
    let lease: Lease | undefined;
    response.once('close', () => lease?.release());
    return {
      hold: (bytes) => {
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
