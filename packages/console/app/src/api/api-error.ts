/** The server's refusal, or that there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  /**
   * @param status of HTTP; 0 when no answer came that this identity could verify
   * @param code of docs/errors.md; `ERR_NO_ANSWER` when none came, `ERR_NOT_JSON` when something else answered
   * @param message for people
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
