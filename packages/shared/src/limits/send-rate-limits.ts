import type { RateLimit } from './rate-limit.js';

/** The limits on what one identity may send, over HTTP and live together. */
export class SendRateLimits {
  /**
   * @param messages counts messages, once for each recipient
   * @param bytes counts bytes of bodies, once for each recipient
   */
  constructor(
    private readonly messages: RateLimit,
    private readonly bytes: RateLimit,
  ) {}

  /** @throws {TooManyRequestsError} */
  async admit(sender: string, messages: number, bytes: number): Promise<void> {
    await this.messages.admit(sender, messages);
    await this.bytes.admit(sender, bytes);
  }
}
