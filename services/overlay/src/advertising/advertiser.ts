import { type Config, hasWallet, type Logger, type PublicFetch } from '@messagebox/shared';
import { NamedLock, type SqlClient } from '@messagebox/store';
import type { BsvServices } from '@messagebox/wallet';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import { parseHostingOrigin } from '../hosts/hosting-origin.js';
import { selectSlapTrackers } from '../hosts/select-slap-trackers.js';
import { AdWallet } from './ad-wallet.js';
import { AD_TOPICS } from './ads.js';
import { OwnTransactionStore } from './own-transaction-store.js';
import { Reconciler, type ReconcilerOptions } from './reconciler.js';
import { Trackers } from './trackers.js';

export interface AdvertiserOptions {
  readonly config: Pick<Config, 'network' | 'hostingDomain' | 'walletStorageUrl' | 'overlay'>;
  readonly sql: SqlClient;
  readonly bsv: BsvServices;
  readonly engine: OverlayEngine;
  readonly fetch: PublicFetch;
  readonly identityKey: string;
  readonly log: Logger;
  readonly onStep?: ReconcilerOptions['onStep'];
}

export interface Advertiser {
  readonly reconciler: Reconciler;
  readonly ownTransactions: OwnTransactionStore;
  /** The origin to advertise, unless the operator has revoked it; undefined when nothing can be advertised. */
  readonly origin: string | undefined;
  /** Stops announcing. */
  close(): Promise<void>;
}

/** More than a transaction needs for its fee and outputs. */
const MIN_SATOSHIS = 1_000;

/** Creates what advertises this host. Logs the reason when it can't be advertised. */
export function createAdvertiser(options: AdvertiserOptions): Advertiser {
  const { config, sql, bsv, engine, fetch, identityKey, log, onStep } = options;
  const { network, overlay } = config;
  const hosting = parseHostingOrigin(config.hostingDomain);
  const reason = 'reason' in hosting ? hosting.reason : explainMissingWallet(config);
  if (reason !== undefined) {
    // Without a domain, the operator has not asked for it.
    const level = config.hostingDomain === undefined ? 'info' : 'warn';
    log[level]({ reason }, 'this host is not advertised');
  }
  const origin = reason === undefined && 'origin' in hosting ? hosting.origin : undefined;
  const ownTransactions = new OwnTransactionStore(sql);
  const trackers = new Trackers({
    origins: selectSlapTrackers(network, overlay.slapTrackers),
    self: origin,
    identityKey,
    network,
    fetch,
    log,
  });
  const reconciler = new Reconciler({
    lock: new NamedLock(sql),
    ownTransactions,
    wallet: async () => {
      // Merkle paths make transactions smaller. Transactions are valid without them.
      await bsv.wallet.maintain().catch((error: unknown) => log.warn({ err: error }, 'wallet maintenance failed'));
      return new AdWallet(await bsv.wallet.getWallet());
    },
    fund: () => bsv.wallet.ensureFunds(MIN_SATOSHIS),
    trackers,
    submit: async (beef) => {
      await engine.apply(beef, [...AD_TOPICS], { isOwn: true });
    },
    origin,
    log,
    onStep,
  });
  return { reconciler, ownTransactions, origin, close: () => trackers.close() };
}

function explainMissingWallet(config: AdvertiserOptions['config']): string | undefined {
  return hasWallet(config) ? undefined : 'WALLET_STORAGE_URL is not set';
}
