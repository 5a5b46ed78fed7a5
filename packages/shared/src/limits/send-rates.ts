import type { RateLimit } from './rate-limit.js';

/** How much one identity may send, by whatever way. */
export class SendRates {
  /**
   * @param messages counts a message for each recipient
   * @param bytes counts bytes of bodies, for each recipient
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
