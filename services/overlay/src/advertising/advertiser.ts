import { type Config, Exclusive, hasWallet, type Logger, type SqlClient } from '@messagebox/shared';
import type { Money } from '@messagebox/wallet';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { PublicFetch } from '../net/public-fetch.js';
import { slapTrackers } from '../net/slap-trackers.js';
import { AdWallet } from './ad-wallet.js';
import { PLACE_TOPICS } from './ads.js';
import { hostingOrigin } from './hosting-origin.js';
import { OwnTransactions } from './own-transactions.js';
import { type ReconcileParts, Reconciler } from './reconcile.js';
import { Trackers } from './trackers.js';

export interface AdvertiserParts {
  readonly config: Pick<Config, 'network' | 'hostingDomain' | 'walletStorageUrl' | 'overlay'>;
  readonly sql: SqlClient;
  readonly money: Money;
  readonly engine: OverlayEngine;
  readonly fetch: PublicFetch;
  readonly identityKey: string;
  readonly log: Logger;
  readonly onStep?: ReconcileParts['onStep'];
}

export interface Advertiser {
  readonly reconciler: Reconciler;
  readonly own: OwnTransactions;
  /** What is advertised, unless the operator has revoked it. Undefined: nothing can be. */
  readonly origin: string | undefined;
  /** Tells nobody any more. */
  close(): Promise<void>;
}

/** More than the fees and outputs of a transaction take. */
const SATOSHIS_NEEDED = 1_000;

/** Puts together what advertises this host. Logs, once, when that can't be done. */
export function createAdvertiser(parts: AdvertiserParts): Advertiser {
  const { config, sql, money, engine, fetch, identityKey, log, onStep } = parts;
  const { network, overlay } = config;
  const hosting = hostingOrigin(config.hostingDomain);
  const reason = 'reason' in hosting ? hosting.reason : missingWallet(config);
  if (reason !== undefined) {
    // Without a domain nobody has asked for it.
    const level = config.hostingDomain === undefined ? 'info' : 'warn';
    log[level]({ reason }, 'this host is not advertised');
  }
  const origin = reason === undefined && 'origin' in hosting ? hosting.origin : undefined;
  const own = new OwnTransactions(sql);
  const trackers = new Trackers({
    origins: slapTrackers(network, overlay.slapTrackers),
    self: origin,
    identityKey,
    network,
    fetch,
    log,
  });
  const reconciler = new Reconciler({
    exclusive: new Exclusive(sql),
    own,
    wallet: async () => {
      // Proofs keep transactions short; without them all is as valid.
      await money.wallet
        .maintain()
        .catch((error: unknown) => log.warn({ err: error }, 'the wallet was not maintained'));
      return new AdWallet(await money.wallet.wallet());
    },
    fund: () => money.wallet.ensureFunds(SATOSHIS_NEEDED),
    trackers,
    submit: async (beef) => {
      await engine.apply(beef, [...PLACE_TOPICS], { isOwn: true });
    },
    origin,
    log,
    onStep,
  });
  return { reconciler, own, origin, close: () => trackers.close() };
}

function missingWallet(config: AdvertiserParts['config']): string | undefined {
  return hasWallet(config) ? undefined : 'WALLET_STORAGE_URL is not set';
}
