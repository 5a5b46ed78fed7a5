/** The overlay is full. The submission can be repeated later, or once the transaction is in a block. */
export class OverlayFullError extends Error {
  override readonly name = 'OverlayFullError';

  constructor() {
    super('This host is full. Try again later, or submit the transaction with a merkle path.');
  }
}
