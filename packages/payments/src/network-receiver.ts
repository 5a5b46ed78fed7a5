import { RuleError } from '@messagebox/messages';
import type { Logger } from '@messagebox/shared';
import type { BsvServices } from '@messagebox/wallet';
import pTimeout from 'p-timeout';
import type { PaymentReceiver } from './payment-receiver.js';
import type { ServerOutput } from './server-output.js';

/** Options of {@link createNetworkReceiver}. */
export interface NetworkReceiverOptions {
  readonly bsv: Pick<BsvServices, 'chain' | 'wallet'>;
  readonly hasWallet: boolean;
  /** What the wallet's records say that the money is for. */
  readonly purpose: 'delivery fee' | 'request price';
  readonly log: Logger;
  /** Milliseconds for the network, and again for the wallet. Default: 30 s. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Gives the transaction to the network, because its sender may not have done so, and then the server's output to the
 * server's wallet. The wallet alone is not enough: the toolbox accepts transactions that were never broadcast, even double
 * spends, and the wallet is not involved when only recipients are paid. A transaction that the network has accepted is not
 * refused because of a failure of the wallet.
 */
export function createNetworkReceiver({
  bsv,
  hasWallet,
  purpose,
  log,
  timeoutMs = DEFAULT_TIMEOUT_MS,
}: NetworkReceiverOptions): PaymentReceiver {
  return {
    hasWallet,
    async receive({ txid, beef, serverOutput }) {
      try {
        const outcome = await pTimeout(bsv.chain.broadcast(txid, beef), { milliseconds: timeoutMs });
        if (outcome !== 'accepted') return outcome;
      } catch (error) {
        throw retryLaterError(log, txid, error, 'ERR_CHAIN_UNAVAILABLE', 503);
      }
      try {
        if (serverOutput !== undefined)
          await pTimeout(internalize(bsv, beef, serverOutput, purpose), { milliseconds: timeoutMs });
      } catch (error) {
        throw retryLaterError(log, txid, error, 'ERR_INTERNALIZE_FAILED', 500);
      }
      return 'received';
    },
  };
}

async function internalize(
  { wallet }: Pick<BsvServices, 'wallet'>,
  beef: Uint8Array,
  { outputIndex, remittance }: ServerOutput,
  purpose: NetworkReceiverOptions['purpose'],
): Promise<void> {
  const { accepted } = await (await wallet.getWallet()).internalizeAction({
    tx: [...beef],
    outputs: [{ outputIndex, protocol: 'wallet payment', paymentRemittance: remittance }],
    description: `MessageBox ${purpose}`,
    labels: [`messagebox ${purpose}`],
  });
  if (!accepted) throw new Error('The wallet did not accept the payment.');
}

function retryLaterError(
  log: Logger,
  txid: string,
  error: unknown,
  code: 'ERR_CHAIN_UNAVAILABLE' | 'ERR_INTERNALIZE_FAILED',
  status: 500 | 503,
): RuleError {
  // The error is not logged as a whole, because a wallet's error may contain the transaction.
  const reason = error instanceof Error ? error.message : String(error);
  log.warn({ txid, reason }, 'a payment could not be received yet');
  const description = 'The payment could not be received now. Send the same request again later: it is used only once.';
  return new RuleError(code, description, status);
}
