import { randomBytes } from 'node:crypto';
import {
  type Config,
  createLogger,
  createServerIdentity,
  Metrics,
  PublicFetch,
  readConfig,
  ShutdownHooks,
} from '@messagebox/shared';
import { openDatabase, type SqlClient, type StoreConfig } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { type BsvServices, type Chain, createBsvServices, createChain, type ServerWallet } from '@messagebox/wallet';
import { type Advertiser, createAdvertiser } from '../../src/advertising/advertiser.js';
import type { ReconcileStep } from '../../src/advertising/reconciler.js';
import { createOverlayEngine } from '../../src/engine/create-overlay-engine.js';
import type { OverlayEngine } from '../../src/engine/overlay-engine.js';
import { ServiceAds } from '../../src/lookups/service-ads.js';
import { decodeServiceAd } from '../../src/topics/service-ad.js';

export const ORIGIN = 'https://messagebox-one.com';

/** An advertising instance without a process of its own. Closing it loses its memory, and keeps the database. */
export interface Instance extends Advertiser {
  readonly bsv: BsvServices;
  readonly engine: OverlayEngine;
  readonly log: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

/** A host on the local chain: a database, and the instances that are started on it. */
export interface AdvertisingHost {
  readonly config: Config;
  readonly store: StoreConfig;
  readonly sql: SqlClient;
  readonly chain: Chain;
  /**
   * @param env added to the host's environment
   * @param wallet replaces the wallet that the environment configures
   */
  start(
    env?: Record<string, string>,
    onStep?: (step: ReconcileStep) => Promise<void>,
    wallet?: ServerWallet,
  ): Promise<Instance>;
  /** `SHIP tm_messagebox https://…` of the unspent tokens on the chain, sorted. */
  onChain(): Promise<string[]>;
  /** The same list of what `ls_ship` and `ls_slap` find. */
  found(): Promise<string[]>;
  /** The same list of what the operator is shown. */
  shown(): Promise<string[]>;
  close(): Promise<void>;
}

/** @param store default: SQLite in a folder of its own */
export async function openAdvertisingHost(
  env: Record<string, string> = {},
  store?: StoreConfig,
): Promise<AdvertisingHost> {
  const folder = createTemporaryFolder();
  const own = { SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'), HOSTING_DOMAIN: ORIGIN, ...env };
  const read = (more: Record<string, string>) => readConfig({ NODE_ENV: 'test', NETWORK: 'local', ...own, ...more });
  const config = read({});
  const at = store ?? { client: 'better-sqlite3' as const, filename: `${folder.path}/messagebox.sqlite` };
  const { messages, sql } = openDatabase(at);
  await messages.migrate();
  const instances: Instance[] = [];
  // The instances close their own connections when they end.
  const chain = createChain({ network: 'local', database: at });
  return {
    config,
    store: at,
    sql,
    chain,
    async start(more = {}, onStep, wallet) {
      const instance = startInstance(read(more), at, sql, onStep, wallet);
      instances.push(instance);
      return instance;
    },
    async onChain() {
      return await listTokensOnChain(chain);
    },
    async found() {
      const ads = new ServiceAds(sql);
      const found = [...(await ads.find('SHIP', {}, 100)), ...(await ads.find('SLAP', {}, 100))];
      return found.map(describeAd).sort();
    },
    async shown() {
      const rows = await sql.read(
        { text: 'SELECT protocol, name, domain FROM overlay_own_ads WHERE revoked_by IS NULL', kind: 'dynamic' },
        [],
      );
      return rows.map((row) => `${row['protocol']} ${row['name']} ${row['domain']}`).sort();
    },
    async close() {
      for (const instance of instances) await instance.close();
      await chain.close();
      await messages.close();
      folder.remove();
    },
  };
}

function startInstance(
  config: Config,
  storeConfig: StoreConfig,
  sql: SqlClient,
  onStep: ((step: ReconcileStep) => Promise<void>) | undefined,
  wallet: ServerWallet | undefined,
): Instance {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('overlay', 'debug', { write: (line) => void lines.push(JSON.parse(line)) });
  const shutdown = new ShutdownHooks(log, 5_000);
  const opened = createBsvServices({ config, storeConfig, shutdown, log });
  const bsv = wallet === undefined ? opened : { ...opened, wallet };
  const fetch = new PublicFetch(config.network);
  shutdown.add('fetch', () => fetch.close());
  const metrics = new Metrics('overlay', {});
  const { engine } = createOverlayEngine({
    sql,
    network: config.network,
    verifier: bsv.overlayVerifier,
    log,
    metrics,
  });
  const { identityKey } = createServerIdentity(config).authenticator;
  const advertiser = createAdvertiser({
    config,
    sql,
    bsv,
    engine,
    fetch,
    identityKey,
    log,
    ...(onStep === undefined ? {} : { onStep }),
  });
  return { ...advertiser, bsv, engine, log: lines, close: () => shutdown.close() };
}

async function listTokensOnChain(chain: Chain): Promise<string[]> {
  const { storage } = (await chain.getLocalChain()).services;
  const utxos: { lockingScript: Buffer }[] = await storage
    .knex('mockchain_utxos')
    .where({ satoshis: 1 })
    .whereNull('spentByTxid');
  return utxos
    .flatMap(({ lockingScript }) => decodeServiceAd(lockingScript) ?? [])
    .map(describeAd)
    .sort();
}

function describeAd({ protocol, name, domain }: { protocol: string; name: string; domain: string }): string {
  return `${protocol} ${name} ${domain}`;
}
