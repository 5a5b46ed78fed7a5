import { createKeys, loadCurve } from '@messagebox/brc103';
import { type Config, hasWallet, type Logger, type ServerIdentity } from '@messagebox/shared';
import { NamedLock, type SqlClient } from '@messagebox/store';
import type { BsvServices } from '@messagebox/wallet';
import { createPaymentVerifier } from './create-payment-verifier.js';
import { createNetworkReceiver } from './network-receiver.js';
import { ANYONE_PRIVATE_KEY, createPaymentScripts } from './payment-scripts.js';
import { PaymentService, type PaymentServiceOptions } from './payment-service.js';
import { PaymentStore } from './payment-store.js';
import { PricePrefixes } from './price-prefixes.js';

export interface CreatePaymentServiceOptions {
  readonly config: Pick<Config, 'serverPrivateKey' | 'network' | 'walletStorageUrl' | 'limits'>;
  readonly sql: SqlClient;
  readonly identity: ServerIdentity;
  readonly bsv: BsvServices;
  readonly log: Logger;
  /** Undefined: no transaction is taken from an upload. */
  readonly uploads?: PaymentServiceOptions['uploads'];
  readonly onStep?: PaymentServiceOptions['onStep'];
}

/** Creates the service with the server's keys, database and network. The wallet is not loaded before the first payment. */
export function createPaymentService({
  config,
  sql,
  identity,
  bsv,
  log,
  uploads,
  onStep,
}: CreatePaymentServiceOptions): PaymentService {
  if (config.serverPrivateKey === undefined) throw new Error('Payments need SERVER_PRIVATE_KEY.');
  const isPayable = hasWallet(config);
  if (!isPayable) log.warn({ network: config.network }, 'no delivery fees are charged: WALLET_STORAGE_URL is missing');
  const curve = loadCurve();
  return new PaymentService({
    verifier: createPaymentVerifier(bsv.verifier),
    scripts: createPaymentScripts(
      createKeys(config.serverPrivateKey, curve),
      createKeys(ANYONE_PRIVATE_KEY, curve),
      new PricePrefixes(config.serverPrivateKey),
    ),
    receiver: createNetworkReceiver({ bsv, hasWallet: isPayable, log, purpose: 'delivery fee' }),
    records: new PaymentStore(sql),
    exclusive: new NamedLock(sql),
    normaliseKey: identity.normaliseKey,
    sizes: { ...config.limits.paidMessages, listed: config.limits.listedBody },
    log,
    uploads,
    onStep,
  });
}
