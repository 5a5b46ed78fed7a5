/** The server's wallet can't be used. The message says what to do about it, and is for the operator. */
export class WalletUnavailableError extends Error {
  override readonly name = 'WalletUnavailableError';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}
