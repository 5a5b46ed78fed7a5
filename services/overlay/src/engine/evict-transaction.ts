import type { Scope } from './apply-transaction.js';
import { removeOutput } from './remove-output.js';

/**
 * Undoes in a topic what a transaction did that turns out not to be in the chain, and what its descendants did, which
 * can't be either. What they had spent can come back only by being submitted anew: its bytes are gone.
 */
export async function evictTransaction(txid: string, topic: string, scope: Scope): Promise<void> {
  const left = [txid];
  const done = new Set<string>();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (done.has(next)) continue;
    done.add(next);
    for (const { spentBy } of (await scope.storage.spentOutputsOf(next, topic)).values()) left.push(spentBy);
    await undoTransaction(next, topic, scope);
  }
}

/** The same for one transaction, whatever becomes of its descendants. */
export async function undoTransaction(txid: string, topic: string, scope: Scope): Promise<void> {
  const { storage } = scope;
  for (const outputIndex of await storage.outputsOf(txid, topic)) {
    await removeOutput(topic, { txid, outputIndex }, scope);
  }
  for (const { txid: source, admitted } of await storage.spendsBy(txid, topic)) {
    if (admitted) await storage.deleteApplied(source, topic);
  }
  await storage.deleteSpendsBy(txid, topic);
  await storage.deleteApplied(txid, topic);
}
