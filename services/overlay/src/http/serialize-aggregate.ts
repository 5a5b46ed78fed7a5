import {
  type BeefTransaction,
  collectWithAncestors,
  encodeVarInt,
  parseBeef,
  serializeBeef,
} from '@messagebox/transactions';
import type { OutputWithBeef } from '../engine/share-answer.js';

/**
 * Serializes an answer to a lookup in its binary form: the number of outputs; for each output its txid (bytes in the order
 * of the hex text), index and length of context (0); then one BEEF with all transactions. Numbers are varints.
 */
export function serializeAggregate(outputs: readonly OutputWithBeef[]): Buffer {
  const all = new Map<string, BeefTransaction>();
  const parts: Uint8Array[] = [encodeVarInt(outputs.length)];
  for (const { beef, outputIndex } of outputs) {
    const { subject, transactions } = parseBeef(beef);
    for (const transaction of collectWithAncestors(subject.txid, (txid) => transactions.get(txid))) {
      // A copy with a merkle path is preferred, since it needs no ancestors.
      if (transaction.proof !== undefined || !all.has(transaction.txid)) all.set(transaction.txid, transaction);
    }
    parts.push(Buffer.from(subject.txid, 'hex'), encodeVarInt(outputIndex), encodeVarInt(0));
  }
  return Buffer.concat([...parts, serializeBeef([...all.values()])]);
}
