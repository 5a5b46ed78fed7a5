import { type Outpoint, parseBeef } from '@messagebox/wallet';
import type { Scope } from './apply-transaction.js';
import { removeOutput } from './remove-output.js';

/**
 * Undoes in a topic what a transaction did that turns out not to be in the chain, and what its descendants did, which
 * can't be either. What they had spent comes back, or can be submitted anew.
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
  for (const lookup of scope.lookups) {
    if (lookup.description.topic === topic) await lookup.restore(scope.runner, txid);
  }
  for (const spend of await storage.spendsBy(txid, topic)) {
    if (spend.admitted) await giveBack(spend, topic, scope);
  }
  await storage.deleteSpendsBy(txid, topic);
  await storage.deleteApplied(txid, topic);
}

/**
 * Puts an output back into a topic that had it until it was spent. Its bytes are there only when something else of its
 * transaction is held. If not, the topic forgets the transaction, so that it can be submitted anew. It must not forget
 * one of which it holds something: nothing would remove that any more if it got into no block.
 */
async function giveBack({ txid, outputIndex }: Outpoint, topic: string, scope: Scope): Promise<void> {
  const { storage, runner } = scope;
  const applied = await storage.findAppliedAfterWriters(txid, topic);
  if (applied === undefined) return; // undone or forgotten itself
  const beef = await storage.findBeef(txid);
  const subject = beef && parseBeef(beef).subject;
  const script = subject?.outputs[outputIndex]?.script;
  if (beef === undefined || script === undefined) return await storage.deleteApplied(txid, topic);
  const { appliedAt } = applied; // when another host had admitted it is not known any more
  await storage.insertOutput(topic, { txid, outputIndex, score: appliedAt });
  // Whoever takes the last other output away just now has removed the bytes, or waits here and then does not.
  await storage.insertBeef(txid, beef);
  for (const lookup of scope.lookups.filter(({ description }) => description.topic === topic)) {
    const surplus = await lookup.add(runner, {
      txid,
      outputIndex,
      script,
      admittedAt: appliedAt,
      height: subject?.proof?.blockHeight,
      nth: 0,
      spent: [],
      isOwn: false,
    });
    for (const output of surplus) await removeOutput(topic, output, scope);
  }
}
