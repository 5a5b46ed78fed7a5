/** The server's wallet cannot be used. The message is for the operator and says what to do. */
export class WalletUnavailableError extends Error {
  override readonly name = 'WalletUnavailableError';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}
