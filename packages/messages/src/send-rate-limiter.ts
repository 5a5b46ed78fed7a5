/** Limits the sends of one identity, over HTTP and sockets together. */
export interface SendRateLimiter {
  /**
   * Counts a send.
   *
   * @param messages the number of messages: one for each recipient
   * @param bytes the sum of their bodies
   * @throws an error with `retryAfterSeconds` when the sender has to wait
   */
  admit(sender: string, messages: number, bytes: number): Promise<void>;
}
