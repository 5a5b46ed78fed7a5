import { ChainUnavailableError } from '../verify/verify-errors.js';

/** What the network made of a transaction: it has it, or never will, for this reason. */
export type Broadcast = 'accepted' | { readonly refused: string };

/** What one service said of one transaction, as the toolbox has it. */
interface TxidResult {
  readonly txid: string;
  readonly status: 'success' | 'error';
  readonly doubleSpend?: boolean;
  /** The service is at fault, and nothing is said of the transaction. */
  readonly serviceError?: boolean;
}

export interface BroadcastServices {
  /** Every service that was asked. */
  post(beef: Uint8Array, txid: string): Promise<readonly { readonly txidResults: readonly TxidResult[] }[]>;
  /** `mined` or `known` for a transaction that the network has. */
  status(txid: string): Promise<string | undefined>;
}

/**
 * Gives a transaction to the network. One service that takes it is enough; a refusal counts only after it was asked
 * whether the network has the transaction all the same, as some services refuse what they have.
 *
 * @throws {ChainUnavailableError}
 */
export async function broadcast(services: BroadcastServices, txid: string, beef: Uint8Array): Promise<Broadcast> {
  const results = (await asked(() => services.post(beef, txid))).flatMap(({ txidResults }) =>
    txidResults.filter((result) => result.txid === txid),
  );
  const isDoubleSpend = results.some(({ doubleSpend }) => doubleSpend === true);
  if (!isDoubleSpend && results.some(({ status }) => status === 'success')) return 'accepted';
  const isRefused = isDoubleSpend || results.some(({ serviceError }) => serviceError !== true);
  if (!isRefused) throw new ChainUnavailableError(new Error(`No service took transaction ${txid}.`));
  const status = await asked(() => services.status(txid));
  if (status === 'mined' || status === 'known') return 'accepted';
  return { refused: isDoubleSpend ? 'it spends what is spent already' : 'it is not valid' };
}

async function asked<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw new ChainUnavailableError(error);
  }
}
