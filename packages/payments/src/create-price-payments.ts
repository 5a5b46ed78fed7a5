import { createKeys, loadCurve } from '@messagebox/brc103';
import { type Config, hasWallet, type Logger } from '@messagebox/shared';
import { NamedLock, type SqlClient } from '@messagebox/store';
import type { BsvServices } from '@messagebox/wallet';
import { createPaymentVerifier } from './create-payment-verifier.js';
import { createNetworkReceiver } from './network-receiver.js';
import { ANYONE_PRIVATE_KEY, createPaymentScripts } from './payment-scripts.js';
import { PricePayments, type PricePaymentsOptions } from './price-payments.js';
import { PricePrefixes } from './price-prefixes.js';
import { PriceStore } from './price-store.js';

export interface CreatePricePaymentsOptions {
  readonly config: Pick<Config, 'serverPrivateKey' | 'network' | 'walletStorageUrl' | 'prices'>;
  readonly sql: SqlClient;
  readonly bsv: BsvServices;
  readonly log: Logger;
  readonly onStep?: PricePaymentsOptions['onStep'];
}

/** Creates what takes payments for requests; undefined when requests have no price. */
export function createPricePayments({
  config,
  sql,
  bsv,
  log,
  onStep,
}: CreatePricePaymentsOptions): PricePayments | undefined {
  if (config.prices === undefined) return undefined;
  if (config.serverPrivateKey === undefined) throw new Error('Prices need SERVER_PRIVATE_KEY.');
  const curve = loadCurve();
  const prefixes = new PricePrefixes(config.serverPrivateKey);
  return new PricePayments({
    prefixes,
    verifier: createPaymentVerifier(bsv.verifier),
    scripts: createPaymentScripts(
      createKeys(config.serverPrivateKey, curve),
      createKeys(ANYONE_PRIVATE_KEY, curve),
      prefixes,
    ),
    receiver: createNetworkReceiver({ bsv, hasWallet: hasWallet(config), log, purpose: 'request price' }),
    records: new PriceStore(sql),
    exclusive: new NamedLock(sql),
    log,
    onStep,
  });
}
