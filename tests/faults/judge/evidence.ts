import type { DeviceConnection } from '../clients/device.ts';
import type { ListedMessage } from '../clients/list-box.ts';
import type { SentMessage } from '../clients/load.ts';

/** A listener's record. */
export interface DeviceRecord {
  readonly label: string;
  readonly key: string;
  readonly isCut: boolean;
  readonly connections: readonly DeviceConnection[];
}

/** All that is known of a trial's messages when it is over. Times are `performance.now()`. */
export interface Evidence {
  readonly sent: readonly SentMessage[];
  readonly devices: readonly DeviceRecord[];
  /** What is in each recipient's box at the end, by identity key. Nobody acknowledges, so nothing may be gone. */
  readonly boxes: ReadonlyMap<string, readonly ListedMessage[]>;
  /** When the fault began and ended. */
  readonly fault: { readonly from: number; readonly until: number };
}
