/** Frames that a client works on at once before it gives up the connection for good. */
export const MAX_FRAMES_AT_CLIENT = 32;
/** Frames after which the client is asked to show that it keeps up. */
export const FRAMES_PER_FENCE = 15;

/**
 * Counts the frames that a client may still be working on.
 *
 * A client works on all frames that have come at once, each at the pace of its wallet, and says of none when it is done.
 * Only an initialRequest is answered: a fence. Its answer may overtake the frames that were sent just before it, so it
 * stands for those before the *previous* answered fence only. Thus a frame may take as long as two fences one after the
 * other, whatever the order in which the wallet does things, and the client never has more than 32.
 */
export class ClientWindow {
  #sent = 0;
  /** So many of the frames, from the first on, count as done. */
  #settled = 0;
  /** The last answered fence: the how many-th frame it was. */
  #answered = 0;
  /** The fence that waits for its answer. */
  #open: number | undefined;
  #lastFence = 0;

  /** Frames that the client may be working on. */
  get inWork(): number {
    // The answered fence itself is done, whatever is with the frames around it.
    return this.#sent - this.#settled - (this.#answered > this.#settled ? 1 : 0);
  }

  get isFenceOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Whether another frame may go out; one place is always left to a fence. */
  get hasRoom(): boolean {
    return this.inWork < MAX_FRAMES_AT_CLIENT - 1;
  }

  /** Whether so many frames have gone out since the last fence that it is time for one. */
  get isFenceDue(): boolean {
    return this.#open === undefined && this.#sent - this.#lastFence >= FRAMES_PER_FENCE;
  }

  sendFrame(): void {
    this.#sent += 1;
  }

  /** A fence goes out. Only while none is open. */
  sendFence(): void {
    this.#sent += 1;
    this.#open = this.#sent;
    this.#lastFence = this.#sent;
  }

  answerFence(): void {
    if (this.#open === undefined) return;
    this.#settled = this.#answered;
    this.#answered = this.#open;
    this.#open = undefined;
  }
}
