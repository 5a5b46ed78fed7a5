/** Too many transactions wait to be verified. Worth a retry later. */
export class VerifierBusyError extends Error {
  override readonly name = 'VerifierBusyError';

  constructor() {
    super('Too many transactions are waiting to be verified. Try again later.');
  }
}

/** The chain could not be asked, which says nothing about the transaction. Worth a retry later. */
export class ChainUnavailableError extends Error {
  override readonly name = 'ChainUnavailableError';

  constructor(cause?: unknown) {
    super('The chain could not be asked. Try again later.', { cause });
  }
}
