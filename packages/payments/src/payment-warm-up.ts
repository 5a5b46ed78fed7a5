import { type Config, errorMessage, type Health, hasWallet, type Logger } from '@messagebox/shared';
import type { BsvServices } from '@messagebox/wallet';

/** Options of {@link createPaymentWarmUp}. */
export interface PaymentWarmUpOptions {
  readonly config: Pick<Config, 'nodeEnv' | 'network' | 'walletStorageUrl'>;
  readonly health: Pick<Health, 'add'>;
  readonly bsv: { readonly chain: Pick<BsvServices['chain'], 'preload'> };
  readonly log: Logger;
}

/**
 * Keeps the first sender of a payment from waiting until the wallet's code is loaded, which takes seconds and holds up the
 * event loop: the process is not ready before. Only where the server can be paid, and not for development and tests, which
 * start more often than they are paid. If loading fails, the process is ready all the same and the first payment tries again.
 *
 * @returns begins to load; called when the process listens
 */
export function createPaymentWarmUp({ config, health, bsv, log }: PaymentWarmUpOptions): () => void {
  const isLive = config.nodeEnv === 'production' || config.nodeEnv === 'staging';
  if (!isLive || !hasWallet(config)) return () => undefined;
  let isDone = false;
  health.add('payments', () => (isDone ? undefined : 'the code for payments is being loaded'));
  return () => {
    void bsv.chain
      .preload()
      .catch((error: unknown) => log.warn({ reason: errorMessage(error) }, 'the code for payments could not be loaded'))
      .then(() => {
        isDone = true;
      });
  };
}
