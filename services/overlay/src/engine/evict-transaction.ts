import type { Scope } from './apply-transaction.js';
import { removeOutput } from './remove-output.js';

/**
 * Undoes in a topic what a transaction did that turns out not to be in the chain, and what its descendants did, which
 * can't be either. What they had spent can come back only by being submitted anew: its bytes are gone.
 */
export async function evictTransaction(txid: string, topic: string, scope: Scope): Promise<void> {
  const { storage } = scope;
  const left = [txid];
  const done = new Set<string>();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (done.has(next)) continue;
    done.add(next);
    const evicted = next;
    for (const { spentBy } of (await storage.spentOutputsOf(evicted, topic)).values()) left.push(spentBy);
    for (const output of await storage.findOutputsForTransaction(evicted)) {
      if (output.topic === topic) await removeOutput({ ...output, consumedBy: [] }, scope);
    }
    for (const { txid: source, admitted } of await storage.spendsBy(evicted, topic)) {
      if (admitted) await storage.deleteApplied(source, topic);
    }
    await storage.deleteSpendsBy(evicted, topic);
    await storage.deleteApplied(evicted, topic);
  }
}
