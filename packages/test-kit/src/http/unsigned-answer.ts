/** A server answered without a signature, which says nothing about who answered. Today's clients reject such answers. */
export class UnsignedAnswer extends Error {
  override readonly name = 'UnsignedAnswer';

  /**
   * @param status of HTTP
   * @param body as text, up to its first 1,024 bytes
   */
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`The server answered ${status} without a signature: ${body}`);
  }
}
