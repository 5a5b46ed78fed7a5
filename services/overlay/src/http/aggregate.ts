import { type BeefTransaction, parseBeef, serializeBeef, varInt, withAncestors } from '@messagebox/wallet';

interface FoundOutput {
  readonly beef: readonly number[];
  readonly outputIndex: number;
  readonly context?: readonly number[] | undefined;
}

/**
 * The binary form of an answer to a lookup: a count, for each output its transaction id (in the order of hex), index,
 * length of context and context, and behind them one BEEF with everything. Counts and lengths are varints.
 */
export function aggregate(outputs: readonly FoundOutput[]): Buffer {
  const all = new Map<string, BeefTransaction>();
  const parts: Uint8Array[] = [varInt(outputs.length)];
  for (const { beef, outputIndex, context = [] } of outputs) {
    const { subject, transactions } = parseBeef(Uint8Array.from(beef));
    for (const transaction of withAncestors(subject.txid, (txid) => transactions.get(txid))) {
      // One with a merkle path stands for itself; without one its ancestors stand before it.
      if (transaction.proof !== undefined || !all.has(transaction.txid)) all.set(transaction.txid, transaction);
    }
    parts.push(Buffer.from(subject.txid, 'hex'), varInt(outputIndex), varInt(context.length), Uint8Array.from(context));
  }
  return Buffer.concat([...parts, serializeBeef([...all.values()])]);
}
