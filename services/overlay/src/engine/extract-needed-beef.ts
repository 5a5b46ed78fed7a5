import { type ParsedBeef, type PrunedBeef, pruneBeef } from '@messagebox/transactions';
import type { Provenance } from './submission.js';
import { invalidTransactionError, withTransactionErrors } from './transaction-errors.js';

/** Bytes of a transaction with what verifies it. Real advertisements have a few thousand. */
const MAX_BEEF_BYTES = 131_072;

/**
 * Extracts the part of a BEEF that verifies the transaction. That part is stored, and sent in answers.
 *
 * @throws {RuleError} `ERR_INVALID_TRANSACTION`
 */
export function extractNeededBeef(claimed: ParsedBeef, { isOwn }: Provenance): PrunedBeef {
  const needed = withTransactionErrors(() => pruneBeef(claimed));
  const { length } = needed.bytes;
  if (length <= MAX_BEEF_BYTES || isOwn === true) return needed;
  throw invalidTransactionError(
    `The transaction and its ancestors have ${length} bytes. The limit is ${MAX_BEEF_BYTES} bytes.`,
  );
}
