import type { Logger, Metrics, Network, SqlClient } from '@messagebox/shared';
import { messageBoxLookup } from '../lookups/message-box-lookup.js';
import { shipLookup } from '../lookups/ship-lookup.js';
import { slapLookup } from '../lookups/slap-lookup.js';
import { messageBoxTopic } from '../topics/message-box-topic.js';
import { shipTopic } from '../topics/ship-topic.js';
import { slapTopic } from '../topics/slap-topic.js';
import { tokenSignatures } from '../topics/token-signatures.js';
import { type BeefVerifier, OverlayEngine, type OverlayEngineParts } from './overlay-engine.js';
import { OverlayStorage } from './overlay-storage.js';

export interface EngineParts {
  readonly sql: SqlClient;
  readonly network: Network;
  readonly verifier: BeefVerifier;
  readonly log: Logger;
  readonly metrics?: Pick<Metrics, 'overlaySubmissions'>;
  /** See `OverlaySize`. Default: there is room. */
  readonly isFull?: () => boolean;
  readonly share?: () => number | undefined;
  readonly proofAtOnce?: OverlayEngineParts['proofAtOnce'];
}

/** The engine with all topics and lookup services of this software, in our database. */
export function createOverlayEngine(parts: EngineParts): { engine: OverlayEngine; storage: OverlayStorage } {
  const { sql, network, verifier, log, metrics, isFull, share, proofAtOnce } = parts;
  const storage = new OverlayStorage(sql);
  const signatures = tokenSignatures();
  const engine = new OverlayEngine({
    topics: {
      tm_messagebox: messageBoxTopic(network, signatures),
      tm_ship: shipTopic(network, signatures),
      tm_slap: slapTopic(network, signatures),
    },
    lookups: { ls_messagebox: messageBoxLookup(sql), ls_ship: shipLookup(sql), ls_slap: slapLookup(sql) },
    storage,
    verifier,
    log,
    ...(isFull === undefined ? {} : { isFull }),
    ...(share === undefined ? {} : { share }),
    ...(proofAtOnce === undefined ? {} : { proofAtOnce }),
    onOutcome: (topic, outcome) => metrics?.overlaySubmissions.inc({ topic, outcome }),
  });
  return { engine, storage };
}
