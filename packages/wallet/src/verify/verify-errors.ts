/** More transactions are waiting to be verified than is allowed. Worth another try later. */
export class VerifierBusyError extends Error {
  override readonly name = 'VerifierBusyError';

  constructor() {
    super('Too many transactions are waiting to be verified. Try again later.');
  }
}

/** The chain could not be asked, so nothing is known of the transaction. Worth another try later. */
export class ChainUnavailableError extends Error {
  override readonly name = 'ChainUnavailableError';

  constructor(cause?: unknown) {
    super('The chain could not be asked. Try again later.', { cause });
  }
}
