import type { Logger, Metrics, Network } from '@messagebox/shared';
import type { SqlClient } from '@messagebox/store';
import { createMessageBoxLookup } from '../lookups/message-box-lookup.js';
import { createServiceLookup } from '../lookups/service-lookup.js';
import { OverlayStorage } from '../storage/overlay-storage.js';
import { createMessageBoxTopic } from '../topics/message-box-topic.js';
import { createServiceTopic } from '../topics/service-topic.js';
import { createTokenSignatures } from '../topics/token-signatures.js';
import type { BeefVerifier } from './beef-verifier.js';
import { OverlayEngine, type OverlayEngineOptions } from './overlay-engine.js';

export interface CreateOverlayEngineOptions {
  readonly sql: SqlClient;
  readonly network: Network;
  readonly verifier: BeefVerifier;
  readonly log: Logger;
  readonly metrics?: Pick<Metrics, 'overlaySubmissions'>;
  /** See `OverlaySize`. Default: never full. */
  readonly isFull?: () => boolean;
  readonly share?: () => number | undefined;
  readonly fetchProofNow?: OverlayEngineOptions['fetchProofNow'];
}

/** Creates the engine with all topics and lookup services of this server. */
export function createOverlayEngine(options: CreateOverlayEngineOptions): {
  engine: OverlayEngine;
  storage: OverlayStorage;
} {
  const { sql, network, verifier, log, metrics, isFull, share, fetchProofNow } = options;
  const storage = new OverlayStorage(sql);
  const signatures = createTokenSignatures();
  const engine = new OverlayEngine({
    topics: {
      tm_messagebox: createMessageBoxTopic(network, signatures),
      tm_ship: createServiceTopic('SHIP', network, signatures),
      tm_slap: createServiceTopic('SLAP', network, signatures),
    },
    lookups: {
      ls_messagebox: createMessageBoxLookup(sql),
      ls_ship: createServiceLookup('SHIP', sql),
      ls_slap: createServiceLookup('SLAP', sql),
    },
    storage,
    verifier,
    log,
    ...(isFull === undefined ? {} : { isFull }),
    ...(share === undefined ? {} : { share }),
    ...(fetchProofNow === undefined ? {} : { fetchProofNow }),
    onOutcome: (topic, outcome) => metrics?.overlaySubmissions.inc({ topic, outcome }),
  });
  return { engine, storage };
}
