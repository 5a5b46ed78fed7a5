import { InvalidTransactionError, malformed } from './invalid-transaction-error.js';
import type { BeefTransaction } from './parse-beef.js';

/**
 * A transaction and what it needs to be verified: its ancestors back to those with a merkle path, each before its
 * descendants. Each input is looked at once, however they are entangled.
 *
 * @param find by id
 * @throws {InvalidTransactionError} `incomplete`, when one is missing; `malformed`, when they descend from each other in
 * a circle
 */
export function withAncestors<T extends BeefTransaction>(txid: string, find: (txid: string) => T | undefined): T[] {
  const subject = find(txid);
  if (subject === undefined) throw new InvalidTransactionError('incomplete', `Transaction ${txid} is missing.`);
  const done = new Map<string, T>();
  const under = new Set([txid]);
  // Without recursion: a chain of ancestors may be longer than the stack is deep.
  const path = [{ transaction: subject, next: 0 }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const { transaction } = top;
    const input = transaction.proof === undefined ? transaction.inputs[top.next++] : undefined;
    if (input === undefined) {
      done.set(transaction.txid, transaction);
      under.delete(transaction.txid);
      path.pop();
    } else if (!done.has(input.txid)) {
      if (under.has(input.txid)) throw malformed('Transactions descend from each other in a circle.');
      const source = find(input.txid);
      if (source === undefined) throw missing(input.txid, transaction.txid);
      under.add(input.txid);
      path.push({ transaction: source, next: 0 });
    }
  }
  return [...done.values()];
}

function missing(txid: string, spender: string): InvalidTransactionError {
  const what = `The BEEF lacks transaction ${txid}, which ${spender} spends, or its merkle path.`;
  return new InvalidTransactionError('incomplete', what);
}
