/** How many frames a client handles at once. It closes the connection for good when more arrive. */
export const MAX_FRAMES_IN_FLIGHT = 32;
/** How many frames are sent before the next fence. */
export const FRAMES_PER_FENCE = 15;

/**
 * Counts the frames that a client may still be handling.
 *
 * A client handles all frames concurrently, each as fast as its wallet allows, and does not acknowledge them. It answers only
 * an initialRequest, which is used as a fence. The answer may overtake frames that were sent shortly before the fence. So it
 * only shows that the frames before the *previous* answered fence are done. Whatever the order in which the wallet works, the
 * client never has more than 32 frames, as long as no frame takes longer than two fences in sequence.
 */
export class ClientWindow {
  #sent = 0;
  /** How many frames, counted from the first, are done. */
  #completed = 0;
  /** The number of the last answered fence, counted in frames. */
  #lastAnsweredFence = 0;
  /** The number of the fence that waits for its answer. */
  #openFence: number | undefined;
  #lastFence = 0;

  /** How many frames the client may be handling. */
  get framesInFlight(): number {
    // The answered fence itself is done, even if frames before it are not.
    return this.#sent - this.#completed - (this.#lastAnsweredFence > this.#completed ? 1 : 0);
  }

  /** Whether a fence waits for its answer. */
  get isFenceOpen(): boolean {
    return this.#openFence !== undefined;
  }

  /** Whether another frame may be sent. One place is always kept for a fence. */
  get hasRoom(): boolean {
    return this.framesInFlight < MAX_FRAMES_IN_FLIGHT - 1;
  }

  /** Whether enough frames were sent since the last fence to send the next one. */
  get isFenceDue(): boolean {
    return this.#openFence === undefined && this.#sent - this.#lastFence >= FRAMES_PER_FENCE;
  }

  /** Counts a frame that is sent. */
  sendFrame(): void {
    this.#sent += 1;
  }

  /** Counts a fence that is sent. Only one fence may be open at a time. */
  sendFence(): void {
    this.#sent += 1;
    this.#openFence = this.#sent;
    this.#lastFence = this.#sent;
  }

  /** Counts the answer to the open fence. Does nothing when no fence is open. */
  answerFence(): void {
    if (this.#openFence === undefined) return;
    this.#completed = this.#lastAnsweredFence;
    this.#lastAnsweredFence = this.#openFence;
    this.#openFence = undefined;
  }
}
