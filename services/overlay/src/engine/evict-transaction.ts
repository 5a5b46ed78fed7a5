import { type Outpoint, parseBeef } from '@messagebox/transactions';
import { removeOutput } from './remove-output.js';
import type { TopicScope } from './topic-scope.js';

/**
 * Undoes what a transaction did to a topic when another one has replaced it in the chain, and what its descendants did,
 * which are invalid without it. The outputs that they had spent are restored, or can be submitted again.
 */
export async function evictTransaction(txid: string, topic: string, scope: TopicScope): Promise<void> {
  const left = [txid];
  const done = new Set<string>();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (done.has(next)) continue;
    done.add(next);
    for (const { spentBy } of (await scope.storage.spends.findOfTransaction(next, topic)).values()) left.push(spentBy);
    await undoTransaction(next, topic, scope);
  }
}

/** Undoes what one transaction did to a topic, without its descendants. */
export async function undoTransaction(txid: string, topic: string, scope: TopicScope): Promise<void> {
  const { storage } = scope;
  for (const outputIndex of await storage.outputs.listIndexes(txid, topic)) {
    await removeOutput(topic, { txid, outputIndex }, scope);
  }
  for (const lookup of scope.lookups) {
    if (lookup.description.topic === topic) await lookup.restore(scope.runner, txid);
  }
  for (const spend of await storage.spends.listBy(txid, topic)) {
    if (spend.admitted) await restoreOutput(spend, topic, scope);
  }
  await storage.spends.deleteBy(txid, topic);
  await storage.applied.delete(txid, topic);
}

/**
 * Restores an output that the topic held until it was spent. Its BEEF is stored only when a topic holds another output
 * of the same transaction. Without a BEEF, the topic forgets the transaction, so that it can be submitted again. The
 * topic must not forget a transaction while it holds one of its outputs: nothing would remove that output if the
 * transaction got into no block.
 */
async function restoreOutput({ txid, outputIndex }: Outpoint, topic: string, scope: TopicScope): Promise<void> {
  const { storage, runner } = scope;
  const applied = await storage.applied.findForShare(txid, topic);
  if (applied === undefined) return; // the transaction was undone or pruned itself
  const beef = await storage.beefs.find(txid);
  const subject = beef && parseBeef(beef).subject;
  const script = subject?.outputs[outputIndex]?.script;
  if (beef === undefined || script === undefined) return await storage.applied.delete(txid, topic);
  const { appliedAt } = applied; // the time of an earlier admission on another host is not stored
  await storage.outputs.insert(topic, { txid, outputIndex, score: appliedAt });
  // A concurrent removal of the last other output has deleted the BEEF already, or waits here and then keeps it.
  await storage.beefs.insert(txid, beef);
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
