/** A response without a signature, whose sender is unknown. Current clients reject such responses. */
export class UnsignedAnswerError extends Error {
  override readonly name = 'UnsignedAnswerError';

  /**
   * @param status the HTTP status
   * @param body the first 1,024 bytes of the body as text
   */
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`The server responded with ${status} without a signature: ${body}`);
  }
}
