/**
 * Why a transaction is refused:
 * - `malformed`: the bytes are not a BEEF;
 * - `incomplete`: an ancestor without proof is missing, or only its id is present;
 * - `inputs`: an input is missing, spent twice, or names an output that does not exist;
 * - `amounts`: the outputs have more satoshis than the inputs;
 * - `script`: an unlocking script does not satisfy its locking script;
 * - `proof`: a merkle path does not lead to a block of the chain, or a coinbase is not mature;
 * - `final`: its lock time keeps it out of blocks for now, so it can still be replaced;
 * - `limit`: the verification would exceed a limit.
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

/** The transaction is not valid, and will not be later unless it is `final`. The message is meant for its sender. */
export class InvalidTransactionError extends Error {
  override readonly name = 'InvalidTransactionError';

  constructor(
    readonly kind: InvalidTransactionKind,
    message: string,
    /** The limit that the bytes of the BEEF exceed. */
    readonly limit?: number,
  ) {
    super(message);
  }
}

/** The bytes do not have the format that they should have. */
export function malformedError(message: string): InvalidTransactionError {
  return new InvalidTransactionError('malformed', message);
}
