import { RuleError } from '@messagebox/messages';
import { InvalidTransactionError } from '@messagebox/transactions';

/**
 * Translates errors of an invalid transaction.
 *
 * @throws {RuleError} `ERR_INVALID_TRANSACTION`, and all other errors of `work`
 */
export function withTransactionErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof InvalidTransactionError ? invalidTransactionError(error.message) : error;
  }
}

/** Creates the error for clients whose transaction is invalid. */
export function invalidTransactionError(description: string): RuleError {
  return new RuleError('ERR_INVALID_TRANSACTION', description);
}
