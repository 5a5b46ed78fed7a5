import { type RateLimit, Turns } from '@messagebox/shared';
import { OverloadedError } from '@messagebox/web';
import type { Response } from 'express';

export interface AnswerLimits {
  /** Answers that are put together at a time; the others wait. */
  readonly atOnce: number;
  /** Bytes of answers that nobody has taken yet, beyond which none is put together. */
  readonly heldBytes: number;
  /** Milliseconds in which an answer must be taken. */
  readonly takenWithinMs: number;
  /** Bytes of an answer, or read for one, that count as one more request of who asked. */
  readonly bytesOfOne: number;
}

/** Bounds what large answers cost: how many are made at once, what waits to be taken, and what one address may have. */
export class Answers {
  readonly #turns: Turns;
  #held = 0;

  constructor(
    private readonly limits: AnswerLimits,
    private readonly rate: Pick<RateLimit, 'charge' | 'check'>,
  ) {
    this.#turns = new Turns(limits.atOnce);
  }

  /**
   * @param askedBy who is charged for the answer, by the key of the rate limit
   * @throws {OverloadedError}, {TooManyRequestsError}, and what `make` throws
   */
  async send(response: Response, askedBy: string, contentType: string, make: () => Promise<Buffer>): Promise<void> {
    await this.#turns.run(async () => {
      if (response.destroyed) return; // went away while it waited
      if (this.#held > this.limits.heldBytes) {
        throw new OverloadedError('Too many answers wait to be taken. Try again later.', 'overlay_answer_bytes');
      }
      await this.rate.check(askedBy); // those before it may have been large
      const body = await make();
      this.#hold(response, body.length);
      await this.charge(askedBy, body.length);
      response.setHeader('Content-Type', contentType);
      response.setHeader('Content-Length', body.length);
      response.end(body);
    });
  }

  /** Counts bytes that were read for an answer: those of the answer itself are counted when it is sent. */
  async charge(askedBy: string, bytes: number): Promise<void> {
    await this.rate.charge(askedBy, Math.floor(bytes / this.limits.bytesOfOne));
  }

  #hold(response: Response, bytes: number): void {
    if (response.destroyed) return;
    this.#held += bytes;
    const late = setTimeout(() => response.destroy(), this.limits.takenWithinMs).unref();
    response.once('close', () => {
      clearTimeout(late);
      this.#held -= bytes;
    });
  }
}
