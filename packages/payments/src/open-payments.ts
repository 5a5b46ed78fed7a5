import { createKeys, loadCurve } from '@messagebox/brc103';
import {
  type Closing,
  type Config,
  type DeliverParts,
  deliver,
  Exclusive,
  hasWallet,
  type Logger,
  type Metrics,
  type ServerIdentity,
  type SqlClient,
} from '@messagebox/shared';
import type { Money } from '@messagebox/wallet';
import { networkReceiver } from './network-receiver.js';
import { PaymentDesk, type PaymentStep } from './payment-desk.js';
import { PaymentRecords } from './payment-records.js';
import { paymentScripts } from './payment-scripts.js';
import { paymentVerifier } from './verify-payment.js';

export interface PaymentsParts {
  readonly config: Pick<Config, 'serverPrivateKey' | 'network' | 'walletStorageUrl'>;
  readonly sql: SqlClient;
  readonly identity: ServerIdentity;
  readonly money: Money;
  readonly log: Logger;
  /** See `PaymentDeskParts`. */
  readonly onStep?: (step: PaymentStep) => void;
}

/** Everybody's private key: 1. */
const ANYONE = Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 1 : 0));
const LOOK_EVERY_MS = 30_000;
const IDLE_MS = 60_000;

/** Puts together what takes payments. Nothing of the wallet is loaded before the first payment. */
export function openPayments({ config, sql, identity, money, log, onStep }: PaymentsParts): PaymentDesk {
  if (config.serverPrivateKey === undefined) throw new Error('Payments need SERVER_PRIVATE_KEY.');
  const isPayable = hasWallet(config);
  if (!isPayable) log.warn({ network: config.network }, 'no delivery fees are charged: WALLET_STORAGE_URL is missing');
  const curve = loadCurve();
  return new PaymentDesk({
    verifier: paymentVerifier(money.verifier),
    scripts: paymentScripts(createKeys(config.serverPrivateKey, curve), createKeys(ANYONE, curve)),
    receiver: networkReceiver({ money, hasWallet: isPayable, log }),
    records: new PaymentRecords(sql),
    exclusive: new Exclusive(sql),
    normaliseKey: identity.normaliseKey,
    log,
    ...(onStep === undefined ? {} : { onStep }),
  });
}

export interface FinishPaymentsParts extends DeliverParts {
  readonly payments: PaymentDesk;
  readonly closing: Closing;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** How often to look. Default: 30 s. */
  readonly everyMs?: number;
  /** How long nobody must have touched a payment. Default: a minute; a request that takes longer has lost its client. */
  readonly idleMs?: number;
}

/** Goes on, now and then, with payments that were interrupted and whose sender does not come back. */
export function finishPaymentsRegularly(parts: FinishPaymentsParts): void {
  const { payments, closing, log, metrics, everyMs = LOOK_EVERY_MS, idleMs = IDLE_MS } = parts;
  let running: Promise<void> | undefined;
  let open = 0;
  metrics.gauge('messagebox_payments_open', 'Payments that are written down and not finished.', () => open);
  const look = () => {
    running ??= payments
      .finishOpen((delivery, alongside) => deliver(parts, delivery, alongside), idleMs)
      .then(() => payments.countOpen())
      .then(
        (count) => {
          open = count;
        },
        (error: unknown) => log.warn({ err: error }, 'interrupted payments could not be looked for'),
      )
      .finally(() => {
        running = undefined;
      });
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  closing.add('payments', async () => {
    clearInterval(timer);
    await running;
  });
  look();
}
