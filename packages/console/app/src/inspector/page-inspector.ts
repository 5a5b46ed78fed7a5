import { KeyRing } from './explain/key-ring.js';
import { TrafficLog } from './observe/traffic-log.js';
import { WalletLog } from './observe/wallet-log.js';

/** What this page has recorded. The whole page shares it, because `fetch` and sockets are the page's. */
export const pageInspector = { traffic: new TrafficLog(), calls: new WalletLog(), keys: new KeyRing() } as const;

/** Pauses or resumes both logs. */
export function setPaused(isPaused: boolean): void {
  pageInspector.traffic.setPaused(isPaused);
  pageInspector.calls.setPaused(isPaused);
}

/** Forgets what was recorded. */
export function clearRecords(): void {
  pageInspector.traffic.clear();
  pageInspector.calls.clear();
}
