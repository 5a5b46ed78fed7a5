import { type BeefTransaction, parseBeef, serializeBeef, varInt, withAncestors } from '@messagebox/wallet';
import type { FoundOutput } from '../engine/overlay-storage.js';

/**
 * The binary form of an answer to a lookup: a count, for each output its transaction id (in the order of hex), index,
 * length of context (none) and behind them one BEEF with everything. Counts and lengths are varints.
 */
export function aggregate(outputs: readonly FoundOutput[]): Buffer {
  const all = new Map<string, BeefTransaction>();
  const parts: Uint8Array[] = [varInt(outputs.length)];
  for (const { beef, outputIndex } of outputs) {
    const { subject, transactions } = parseBeef(beef);
    for (const transaction of withAncestors(subject.txid, (txid) => transactions.get(txid))) {
      // One with a merkle path stands for itself; without one its ancestors stand before it.
      if (transaction.proof !== undefined || !all.has(transaction.txid)) all.set(transaction.txid, transaction);
    }
    parts.push(Buffer.from(subject.txid, 'hex'), varInt(outputIndex), varInt(0));
  }
  return Buffer.concat([...parts, serializeBeef([...all.values()])]);
}
