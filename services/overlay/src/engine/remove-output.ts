import type { Output } from '@bsv/overlay';
import { outpointKey } from '@messagebox/wallet';
import type { Scope } from './apply-transaction.js';

/**
 * Takes an output out of its topic, and with it the history that only it was kept for: consumed outputs that no other
 * output has consumed, and so on.
 */
export async function removeOutput(output: Output, { storage, runner, lookups }: Scope): Promise<void> {
  const { topic } = output;
  const left = [output];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const removed = next;
    if (removed.consumedBy.length > 0) continue;
    await storage.deleteOutput(removed.txid, removed.outputIndex, topic);
    for (const lookup of lookups) {
      await lookup.removed(runner, removed, topic);
      await lookup.outputNoLongerRetainedInHistory?.(removed.txid, removed.outputIndex, topic);
    }
    const consumed = await storage.findOutputs(topic, removed.outputsConsumed);
    for (const earlier of consumed.values()) {
      const consumedBy = earlier.consumedBy.filter((later) => outpointKey(later) !== outpointKey(removed));
      await storage.updateConsumedBy(earlier.txid, earlier.outputIndex, topic, consumedBy);
      left.push({ ...earlier, consumedBy });
    }
  }
}
