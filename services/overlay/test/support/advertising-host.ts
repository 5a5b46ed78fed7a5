import { randomBytes } from 'node:crypto';
import {
  Closing,
  type Config,
  createLogger,
  Metrics,
  openDatabase,
  readConfig,
  type SqlClient,
  type StoreConfig,
  serverIdentity,
} from '@messagebox/shared';
import { type Chain, type Money, openChain, openMoney, type ServerWallet } from '@messagebox/wallet';
import { temporaryFolder } from '../../../../tests/support/own-process.js';
import { type Advertiser, createAdvertiser } from '../../src/advertising/advertiser.js';
import type { ReconcileStep } from '../../src/advertising/reconcile.js';
import { createOverlayEngine } from '../../src/engine/create-engine.js';
import type { OverlayEngine } from '../../src/engine/overlay-engine.js';
import { ServiceAds } from '../../src/lookups/service-ads.js';
import { PublicFetch } from '../../src/net/public-fetch.js';
import { decodeServiceAd } from '../../src/topics/service-ad.js';

export const ORIGIN = 'https://messagebox-one.com';

/** A process that advertises, without its process: what it has in memory goes with it, what it has written stays. */
export interface Instance extends Advertiser {
  readonly money: Money;
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
   * @param env on top of the host's own
   * @param wallet in place of the one that the environment asks for
   */
  start(
    env?: Record<string, string>,
    onStep?: (step: ReconcileStep) => Promise<void>,
    wallet?: ServerWallet,
  ): Promise<Instance>;
  /** `SHIP tm_messagebox https://…` of the unspent tokens on the chain, sorted. */
  onChain(): Promise<string[]>;
  /** The same of what `ls_ship` and `ls_slap` find. */
  found(): Promise<string[]>;
  /** The same of what the operator is shown. */
  shown(): Promise<string[]>;
  close(): Promise<void>;
}

/** @param store default: SQLite in a folder of its own */
export async function openAdvertisingHost(
  env: Record<string, string> = {},
  store?: StoreConfig,
): Promise<AdvertisingHost> {
  const folder = temporaryFolder();
  const own = { SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'), HOSTING_DOMAIN: ORIGIN, ...env };
  const read = (more: Record<string, string>) => readConfig({ NODE_ENV: 'test', NETWORK: 'local', ...own, ...more });
  const config = read({});
  const at = store ?? { client: 'better-sqlite3' as const, filename: `${folder.path}/messagebox.sqlite` };
  const { messages, sql } = openDatabase(at);
  await messages.migrate();
  const instances: Instance[] = [];
  // Of its own: those of the instances end with them.
  const chain = openChain({ network: 'local', database: at });
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
      return await tokensOnChain(chain);
    },
    async found() {
      const ads = new ServiceAds(sql);
      const found = [...(await ads.find('SHIP', {}, 100)), ...(await ads.find('SLAP', {}, 100))];
      return found.map(textOf).sort();
    },
    async shown() {
      const rows = await sql.read(
        { text: 'SELECT protocol, name, domain FROM overlay_own_ads WHERE revoked_by IS NULL', kind: 'varying' },
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
  const log = createLogger('overlay', true, { write: (line) => void lines.push(JSON.parse(line)) });
  const closing = new Closing(log, 5_000);
  const opened = openMoney({ config, storeConfig, closing, log });
  const money = wallet === undefined ? opened : { ...opened, wallet };
  const fetch = new PublicFetch(config.network);
  closing.add('fetch', () => fetch.close());
  const metrics = new Metrics('overlay', {});
  const { engine } = createOverlayEngine({
    sql,
    network: config.network,
    verifier: money.overlayVerifier,
    log,
    metrics,
  });
  const { identityKey } = serverIdentity(config).authenticator;
  const advertiser = createAdvertiser({
    config,
    sql,
    money,
    engine,
    fetch,
    identityKey,
    log,
    ...(onStep === undefined ? {} : { onStep }),
  });
  return { ...advertiser, money, engine, log: lines, close: () => closing.close() };
}

async function tokensOnChain(chain: Chain): Promise<string[]> {
  const { storage } = (await chain.local()).services;
  const utxos: { lockingScript: Buffer }[] = await storage
    .knex('mockchain_utxos')
    .where({ satoshis: 1 })
    .whereNull('spentByTxid');
  return utxos
    .flatMap(({ lockingScript }) => decodeServiceAd(lockingScript) ?? [])
    .map(textOf)
    .sort();
}

function textOf({ protocol, name, domain }: { protocol: string; name: string; domain: string }): string {
  return `${protocol} ${name} ${domain}`;
}
