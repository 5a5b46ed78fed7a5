import type { TrafficRecord } from '../observe/traffic.js';
import { explainHttp } from './explain-http.js';
import { explainNotice, explainSeenPacket } from './explain-packet.js';
import type { ExplainSources } from './explain-signature.js';
import type { Explanation } from './steps.js';

/** Explains a record: joins what was seen on the wire with the wallet's calls that made or verified it. */
export async function explainRecord(record: TrafficRecord, sources: ExplainSources): Promise<Explanation> {
  switch (record.kind) {
    case 'http':
      return explainHttp(record, sources);
    case 'packet':
      return explainSeenPacket(record, sources);
    case 'socket':
      return explainNotice(record);
  }
}
