import { type Logger, RuleError } from '@messagebox/shared';
import type { Money } from '@messagebox/wallet';
import type { PaymentReceiver } from './payment-receiver.js';

const LABEL = 'messagebox delivery fee';

/**
 * Receives the server's output into the server's wallet, which sends the transaction to the network if nobody has.
 * Doing so again changes nothing: the wallet knows its outputs.
 */
export function walletReceiver({ wallet }: Pick<Money, 'wallet'>, log: Logger): PaymentReceiver {
  return {
    async receive({ txid, beef, serverOutput }) {
      if (serverOutput === undefined) return 'received';
      const { outputIndex, remittance } = serverOutput;
      try {
        const { accepted } = await (await wallet.wallet()).internalizeAction({
          tx: [...beef],
          outputs: [{ outputIndex, protocol: 'wallet payment', paymentRemittance: remittance }],
          description: 'MessageBox delivery fee',
          labels: [LABEL],
        });
        if (!accepted) throw new Error('The wallet has not accepted the payment.');
        return 'received';
      } catch (error) {
        const status = reviewStatus(error, txid);
        if (status === 'doubleSpend') return { refused: 'it spends what is spent already' };
        if (status === 'invalidTx') return { refused: 'it is not valid' };
        log.error({ err: error, txid }, 'a payment could not be received');
        throw new RuleError(
          'ERR_INTERNALIZE_FAILED',
          'The payment could not be received now. Send the same request again later: it is taken only once.',
          500,
        );
      }
    },
  };
}

/** What the wallet says of a transaction in the error by which it reports that sending it went wrong. */
function reviewStatus(error: unknown, txid: string): string | undefined {
  if (typeof error !== 'object' || error === null || !('reviewActionResults' in error)) return undefined;
  const results: unknown = error.reviewActionResults;
  if (!Array.isArray(results)) return undefined;
  const found: unknown = results.find((result: { txid?: unknown } | null) => result?.txid === txid);
  return typeof found === 'object' && found !== null && 'status' in found ? String(found.status) : undefined;
}
