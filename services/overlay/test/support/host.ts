import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ChainTracker } from '@bsv/sdk';
import {
  createLogger,
  FairScheduler,
  Health,
  JsonServer,
  LimitHitReporter,
  Metrics,
  type Network,
  NO_TRACER,
  RateLimits,
  readConfig,
} from '@messagebox/shared';
import { openDatabase, type SqlClient, type StoreConfig } from '@messagebox/store';
import { type MerkleProof, parseBeef, TransactionVerifier } from '@messagebox/transactions';
import { createOverlayEngine } from '../../src/engine/create-overlay-engine.js';
import { evictLargestSubmitter } from '../../src/engine/evict-largest-submitter.js';
import type { OverlayEngine } from '../../src/engine/overlay-engine.js';
import { OverlaySize, type OverlaySizeOptions } from '../../src/engine/overlay-size.js';
import type { DevelopmentChain } from '../../src/http/development-routes.js';
import { createOverlayApp } from '../../src/http/overlay-app.js';
import type { OverlayStorage } from '../../src/storage/overlay-storage.js';
import { decodeMessageBoxAd } from '../../src/topics/message-box-ad.js';

export interface Host {
  readonly url: string;
  readonly engine: OverlayEngine;
  readonly storage: OverlayStorage;
  readonly sql: SqlClient;
  readonly verifier: TransactionVerifier;
  readonly metrics: Metrics;
  readonly log: string[];
  /** Measures the overlay's size, which happens each minute otherwise. */
  recount(): Promise<void>;
  /** The number of rows of each table, to check that nothing has changed. */
  rows(): Promise<Record<string, number>>;
  /** `IDENTITY HOST` of what `ls_messagebox` finds, in its order. */
  found(query: object): Promise<string[]>;
  close(): Promise<void>;
}

export interface HostOptions {
  readonly network?: Network;
  /** Default: an SQLite file of its own. */
  readonly store?: StoreConfig;
  readonly development?: DevelopmentChain;
  readonly trustedProxies?: number;
  readonly size?: OverlaySizeOptions;
  /** Whether transactions of the largest submitters are removed when the overlay is crowded. */
  readonly makesRoom?: boolean;
  /** See `OverlayEngineOptions`. */
  readonly fetchProofNow?: (txid: string) => Promise<MerkleProof | undefined>;
}

const TABLES = [
  'overlay_transactions',
  'overlay_outputs',
  'overlay_applied',
  'overlay_spends',
  'overlay_message_box_ads',
  'overlay_service_ads',
];

/** An overlay host that listens on a free port. */
export async function startHost(chain: ChainTracker, options: HostOptions = {}): Promise<Host> {
  const { network = 'main', development, trustedProxies = 0, fetchProofNow } = options;
  const folder = await mkdtemp(path.join(tmpdir(), 'mb-overlay-'));
  const store = options.store ?? { client: 'better-sqlite3', filename: path.join(folder, 'overlay.db') };
  const { messages, sql } = openDatabase(store);
  await messages.migrate();
  const lines: string[] = [];
  const log = createLogger('overlay', 'debug', { write: (line) => void lines.push(line) });
  const metrics = new Metrics('overlay', {});
  const verifier = new TransactionVerifier(async () => chain);
  const size = new OverlaySize(sql, metrics, log, options.size);
  const { engine, storage } = createOverlayEngine({
    sql,
    network,
    verifier,
    log,
    metrics,
    isFull: size.isFull,
    share: size.share,
    ...(fetchProofNow === undefined ? {} : { fetchProofNow }),
  });
  if (options.makesRoom === true) size.onCrowded(() => evictLargestSubmitter(engine, storage));
  const config = { network, trustedProxies, limits: readConfig({}).limits };
  const health = new Health();
  const scheduler = new FairScheduler();
  const limitsHit = new LimitHitReporter(metrics, log);
  const rates = new RateLimits({ onHit: limitsHit.report });
  const server = new JsonServer(
    createOverlayApp({
      config,
      engine,
      log,
      health,
      metrics,
      tracer: NO_TRACER,
      limitsHit,
      rates,
      scheduler,
      development,
    }),
    log,
  );
  const url = await server.listen(0, '127.0.0.1');
  return {
    url,
    engine,
    storage,
    sql,
    verifier,
    metrics,
    log: lines,
    recount: () => size.recount(),
    async rows() {
      const counts: Record<string, number> = {};
      for (const table of TABLES) {
        const [row] = await sql.read({ text: `SELECT COUNT(*) AS n FROM ${table}`, kind: 'dynamic' }, []);
        counts[table] = Number(row?.['n']);
      }
      return counts;
    },
    async found(query) {
      const answer = await engine.lookup({ service: 'ls_messagebox', query });
      return answer.outputs.map(({ beef, outputIndex }) => {
        const output = parseBeef(beef).subject.outputs[outputIndex];
        const ad = output && decodeMessageBoxAd(output.script);
        return `${ad?.identityKey} ${ad?.host}`;
      });
    },
    async close() {
      await server.close(1_000);
      await size.close();
      await verifier.close();
      await messages.close();
      await rm(folder, { recursive: true });
    },
  };
}
