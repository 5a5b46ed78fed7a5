import type { OverlayStorage } from '../storage/overlay-storage.js';
import type { OverlayEngine } from './overlay-engine.js';

const EVICTION_BATCH_SIZE = 200;

/**
 * Removes the oldest unproven transactions of the submitter that is charged for most bytes.
 *
 * @returns false when nothing was removed
 * @throws {StoreUnavailableError}
 */
export async function evictLargestSubmitter(
  engine: Pick<OverlayEngine, 'removeUnproven'>,
  storage: OverlayStorage,
): Promise<boolean> {
  let removed = 0;
  for (const { txid, topic } of await storage.listOldestOfLargestSubmitter(EVICTION_BATCH_SIZE)) {
    if (await engine.removeUnproven(txid, topic)) removed += 1;
  }
  return removed > 0;
}
