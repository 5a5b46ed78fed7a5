import { OverloadedError, type RateLimit, Semaphore } from '@messagebox/shared';
import type { Response } from 'express';

export interface ResponderLimits {
  /** Answers that are made at the same time. Others wait. */
  readonly maxConcurrent: number;
  /** Bytes of answers that clients have not received yet. Above it, no further answer is made. */
  readonly maxHeldBytes: number;
  /** The time in which a client must receive an answer. */
  readonly receiveTimeoutMs: number;
  /** Bytes of an answer, or read for one, that are charged to the client as one more request. */
  readonly bytesPerRequest: number;
}

/** Limits the cost of large answers: how many are made at once, the bytes that wait, and the bytes for one address. */
export class BoundedResponder {
  readonly #turns: Semaphore;
  #heldBytes = 0;

  constructor(
    private readonly limits: ResponderLimits,
    private readonly rate: Pick<RateLimit, 'charge' | 'check'>,
  ) {
    this.#turns = new Semaphore(limits.maxConcurrent);
  }

  /**
   * Makes an answer and sends it.
   *
   * @param askedBy the rate limit's key of the client that is charged for the answer
   * @throws {OverloadedError}, {TooManyRequestsError}, and what `make` throws
   */
  async send(response: Response, askedBy: string, contentType: string, make: () => Promise<Buffer>): Promise<void> {
    await this.#turns.run(async () => {
      if (response.destroyed) return; // the client has disconnected while it waited
      if (this.#heldBytes > this.limits.maxHeldBytes) {
        throw new OverloadedError(
          'Too many answers are waiting for slow clients. Try again later.',
          'overlay_answer_bytes',
        );
      }
      await this.rate.check(askedBy); // earlier answers may have used up the rate
      const body = await make();
      this.#trackHeldBytes(response, body.length);
      await this.charge(askedBy, body.length);
      response.setHeader('Content-Type', contentType);
      response.setHeader('Content-Length', body.length);
      response.end(body);
    });
  }

  /** Charges for bytes that were read for an answer. {@link send} charges for the bytes of the answer itself. */
  async charge(askedBy: string, bytes: number): Promise<void> {
    await this.rate.charge(askedBy, Math.floor(bytes / this.limits.bytesPerRequest));
  }

  #trackHeldBytes(response: Response, bytes: number): void {
    if (response.destroyed) return;
    this.#heldBytes += bytes;
    const timer = setTimeout(() => response.destroy(), this.limits.receiveTimeoutMs).unref();
    response.once('close', () => {
      clearTimeout(timer);
      this.#heldBytes -= bytes;
    });
  }
}
