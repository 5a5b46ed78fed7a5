import type { OverlayEngine } from './overlay-engine.js';
import type { OverlayStorage } from './overlay-storage.js';

const AT_ONCE = 200;

/**
 * Removes what is in no block: the oldest of who has brought most bytes of it.
 *
 * @returns false when there is nothing of that kind
 * @throws {StoreUnavailableError}
 */
export async function makeRoom(engine: Pick<OverlayEngine, 'forget'>, storage: OverlayStorage): Promise<boolean> {
  let forgotten = 0;
  for (const { txid, topic } of await storage.oldestOfLargestSubmitter(AT_ONCE)) {
    if (await engine.forget(txid, topic)) forgotten += 1;
  }
  return forgotten > 0;
}
