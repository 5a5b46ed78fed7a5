/** A server refused a request, as it may: signed, with a code. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';

  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(`The server refused with HTTP ${status} (${code}).`);
  }
}
