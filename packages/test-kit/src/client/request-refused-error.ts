/** A server refused a request correctly: with a signature and a code. */
export class RequestRefusedError extends Error {
  override readonly name = 'RequestRefusedError';

  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(`The server refused with HTTP ${status} (${code}).`);
  }
}
