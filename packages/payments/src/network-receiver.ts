import { type Logger, RuleError } from '@messagebox/shared';
import { ChainUnavailableError, type Money } from '@messagebox/wallet';
import type { PaymentReceiver } from './payment-receiver.js';
import type { OpenPayment, ServerOutput } from './payment-records.js';

export interface NetworkReceiverParts {
  readonly money: Pick<Money, 'chain' | 'wallet'>;
  readonly hasWallet: boolean;
  readonly log: Logger;
  /** Milliseconds that network and wallet together may take. Default: 30 s */
  readonly patienceMs?: number;
}

const LABEL = 'messagebox delivery fee';
const PATIENCE_MS = 30_000;

/**
 * Gives the transaction to the network, since its sender may not have done so, and then the server's output to the
 * server's wallet. The wallet by itself would not do: the toolbox's takes in what was never sent, double spends too, and
 * with outputs for recipients only it is not asked at all.
 */
export function networkReceiver({ money, hasWallet, log, patienceMs }: NetworkReceiverParts): PaymentReceiver {
  const internalize = async ({ txid, beef }: Pick<OpenPayment, 'txid' | 'beef'>, output: ServerOutput) => {
    try {
      await takeIn(money, beef, output);
      return 'received';
    } catch (error) {
      const status = reviewStatus(error, txid);
      if (status === 'doubleSpend') return { refused: 'it spends what is spent already' };
      if (status === 'invalidTx') return { refused: 'it is not valid' };
      throw error;
    }
  };
  return {
    hasWallet,
    async receive({ txid, beef, serverOutput }) {
      try {
        return await inTime(async () => {
          const outcome = await money.chain.broadcast(txid, beef);
          if (outcome !== 'accepted') return outcome;
          return serverOutput === undefined ? 'received' : await internalize({ txid, beef }, serverOutput);
        }, patienceMs ?? PATIENCE_MS);
      } catch (error) {
        // Not the error itself: a wallet's may carry the whole transaction.
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ txid, reason }, 'a payment could not be received yet');
        if (error instanceof ChainUnavailableError) throw notNow('ERR_CHAIN_UNAVAILABLE', 503);
        throw notNow('ERR_INTERNALIZE_FAILED', 500);
      }
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

function notNow(code: 'ERR_CHAIN_UNAVAILABLE' | 'ERR_INTERNALIZE_FAILED', status: 500 | 503): RuleError {
  const description =
    'The payment could not be received now. Send the same request again later: it is taken only once.';
  return new RuleError(code, description, status);
}

/** What the wallet says of a transaction in the error by which it reports that sending it went wrong. */
function reviewStatus(error: unknown, txid: string): string | undefined {
  if (typeof error !== 'object' || error === null || !('reviewActionResults' in error)) return undefined;
  const results: unknown = error.reviewActionResults;
  if (!Array.isArray(results)) return undefined;
  const found: unknown = results.find((result: { txid?: unknown } | null) => result?.txid === txid);
  return typeof found === 'object' && found !== null && 'status' in found ? String(found.status) : undefined;
}

async function inTime<T>(work: () => Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`neither network nor wallet was done within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
