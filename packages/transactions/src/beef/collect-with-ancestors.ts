import { InvalidTransactionError, malformedError } from './invalid-transaction-error.js';
import type { BeefTransaction } from './parse-beef.js';

/**
 * Collects a transaction and its ancestors back to those with a merkle path, each before its descendants. Visits each input
 * once, however many paths lead to it.
 *
 * @param find finds a transaction by id
 * @throws {InvalidTransactionError} `incomplete` when a transaction is missing, `malformed` when they form a circle
 */
export function collectWithAncestors<T extends BeefTransaction>(
  txid: string,
  find: (txid: string) => T | undefined,
): T[] {
  const subject = find(txid);
  if (subject === undefined) throw new InvalidTransactionError('incomplete', `Transaction ${txid} is missing.`);
  const done = new Map<string, T>();
  const under = new Set([txid]);
  // No recursion: a chain of ancestors can be longer than the call stack.
  const path = [{ transaction: subject, next: 0 }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const { transaction } = top;
    const input = transaction.proof === undefined ? transaction.inputs[top.next++] : undefined;
    if (input === undefined) {
      done.set(transaction.txid, transaction);
      under.delete(transaction.txid);
      path.pop();
    } else if (!done.has(input.txid)) {
      if (under.has(input.txid)) throw malformedError('Transactions descend from each other in a circle.');
      const source = find(input.txid);
      if (source === undefined) throw missingAncestorError(input.txid, transaction.txid);
      under.add(input.txid);
      path.push({ transaction: source, next: 0 });
    }
  }
  return [...done.values()];
}

function missingAncestorError(txid: string, spender: string): InvalidTransactionError {
  const what = `The BEEF lacks transaction ${txid}, which ${spender} spends, or its merkle path.`;
  return new InvalidTransactionError('incomplete', what);
}
