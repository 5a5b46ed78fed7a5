/**
 * What is wrong with a transaction that was refused:
 * - `malformed`: the bytes are no BEEF;
 * - `incomplete`: an ancestor without proof is missing, or there by its id only;
 * - `inputs`: an input is missing, spent twice, or names an output that is not there;
 * - `amounts`: it pays out more than it takes in;
 * - `script`: an unlocking script does not satisfy its locking script;
 * - `proof`: a merkle path does not lead to a block of the chain, or a coinbase is not mature;
 * - `final`: its lock time keeps it out of blocks for now, so that it can still be replaced;
 * - `limit`: checking it would take more than is allowed.
 */
export type InvalidTransactionKind =
  | 'malformed'
  | 'incomplete'
  | 'inputs'
  | 'amounts'
  | 'script'
  | 'proof'
  | 'final'
  | 'limit';

/** The transaction is not valid, and except for `final` won't be later. The message says why in plain words, fit for its sender. */
export class InvalidTransactionError extends Error {
  override readonly name = 'InvalidTransactionError';

  constructor(
    readonly kind: InvalidTransactionKind,
    message: string,
  ) {
    super(message);
  }
}

/** For bytes that are not what they should be. */
export function malformed(message: string): InvalidTransactionError {
  return new InvalidTransactionError('malformed', message);
}
