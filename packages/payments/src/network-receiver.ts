import { type Logger, RuleError, within } from '@messagebox/shared';
import type { Money } from '@messagebox/wallet';
import type { PaymentReceiver } from './payment-receiver.js';
import type { ServerOutput } from './payment-records.js';

export interface NetworkReceiverParts {
  readonly money: Pick<Money, 'chain' | 'wallet'>;
  readonly hasWallet: boolean;
  readonly log: Logger;
  /** Milliseconds that the network, and then the wallet, may take. Default: 30 s each. */
  readonly patienceMs?: number;
}

const LABEL = 'messagebox delivery fee';
const PATIENCE_MS = 30_000;

/**
 * Gives the transaction to the network, since its sender may not have done so, and then the server's output to the
 * server's wallet. The wallet by itself would not do: the toolbox's takes in what was never sent, double spends too, and
 * with outputs for recipients only it is not asked at all. What the network has taken, no trouble of the wallet refuses.
 */
export function networkReceiver({
  money,
  hasWallet,
  log,
  patienceMs = PATIENCE_MS,
}: NetworkReceiverParts): PaymentReceiver {
  return {
    hasWallet,
    async receive({ txid, beef, serverOutput }) {
      try {
        const outcome = await within(patienceMs, money.chain.broadcast(txid, beef));
        if (outcome !== 'accepted') return outcome;
      } catch (error) {
        throw notYet(log, txid, error, 'ERR_CHAIN_UNAVAILABLE', 503);
      }
      try {
        if (serverOutput !== undefined) await within(patienceMs, takeIn(money, beef, serverOutput));
      } catch (error) {
        throw notYet(log, txid, error, 'ERR_INTERNALIZE_FAILED', 500);
      }
      return 'received';
    },
  };
}

async function takeIn(
  { wallet }: Pick<Money, 'wallet'>,
  beef: Uint8Array,
  { outputIndex, remittance }: ServerOutput,
): Promise<void> {
  const { accepted } = await (await wallet.wallet()).internalizeAction({
    tx: [...beef],
    outputs: [{ outputIndex, protocol: 'wallet payment', paymentRemittance: remittance }],
    description: 'MessageBox delivery fee',
    labels: [LABEL],
  });
  if (!accepted) throw new Error('The wallet has not accepted the payment.');
}

function notYet(
  log: Logger,
  txid: string,
  error: unknown,
  code: 'ERR_CHAIN_UNAVAILABLE' | 'ERR_INTERNALIZE_FAILED',
  status: 500 | 503,
): RuleError {
  // Not the error itself: a wallet's may carry the whole transaction.
  const reason = error instanceof Error ? error.message : String(error);
  log.warn({ txid, reason }, 'a payment could not be received yet');
  const description =
    'The payment could not be received now. Send the same request again later: it is taken only once.';
  return new RuleError(code, description, status);
}
