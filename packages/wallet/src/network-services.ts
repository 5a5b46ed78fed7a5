import type { PostBeefResult, WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import { getField } from '@messagebox/messages';
import { type BroadcastServices, type BroadcastVerdict, loadToolbox } from '@messagebox/transactions';

/** The verdicts for the transaction states of ARC (https://bitcoin-sv.github.io/arc). Other states are `unknown`. */
const ARC_STATES: Readonly<Record<string, BroadcastVerdict>> = {
  RECEIVED: 'pending',
  QUEUED: 'pending',
  STORED: 'pending',
  ANNOUNCED_TO_NETWORK: 'pending',
  REQUESTED_BY_NETWORK: 'pending',
  SENT_TO_NETWORK: 'pending',
  ACCEPTED_BY_NETWORK: 'taken',
  SEEN_ON_NETWORK: 'taken',
  MINED: 'taken',
  REJECTED: 'invalid',
  INVALID: 'invalid',
  MALFORMED: 'invalid',
};

/** ARC's error statuses that are about the transaction itself: its form, inputs, outputs or fee. */
const ARC_REFUSALS: ReadonlySet<string> = new Set(['461', '462', '463', '464', '465', '473']);
/** The toolbox's note that a node has another transaction which spends the same outputs. */
const MEMPOOL_CONFLICT = 'postRawTxErrorMempoolConflict';

/** Adapts the toolbox's services for main and test. */
export function createNetworkServices(
  services: Pick<WalletServices, 'postBeef' | 'getStatusForTxids'>,
): BroadcastServices {
  return {
    post: async (beef, txid) => {
      const { sdk } = await loadToolbox();
      const results = await services.postBeef(sdk.Beef.fromBinary([...beef]), [txid]);
      return results.map((result) => toVerdict(result, txid));
    },
    has: async (txid) => {
      const { status, results, error } = await services.getStatusForTxids([txid]);
      if (status !== 'success') throw new Error('No service knows what the network has.', { cause: error });
      return results.some((one) => one.txid === txid && (one.status === 'mined' || one.status === 'known'));
    },
  };
}

/**
 * Derives the verdict from the details of a result, because the toolbox's summary is unreliable: it reports success when a
 * service has not answered or when ARC has rejected the transaction, and a double spend when an ancestor is missing.
 */
function toVerdict({ status, txidResults }: PostBeefResult, txid: string): BroadcastVerdict {
  const result = txidResults.find((one) => one.txid === txid);
  if (result === undefined) return 'unknown';
  if (result.status === 'success') {
    if (status !== 'success') return 'unknown';
    const [state = ''] = typeof result.data === 'string' ? result.data.split(' ') : [];
    if (state === '') return 'taken';
    return Object.hasOwn(ARC_STATES, state) ? (ARC_STATES[state] as BroadcastVerdict) : 'unknown';
  }
  const hasRival =
    (result.competingTxs ?? []).length > 0 || result.notes?.some(({ what }) => what === MEMPOOL_CONFLICT) === true;
  if (result.doubleSpend === true) return hasRival ? 'double spend' : 'unknown';
  return ARC_REFUSALS.has(String(getField(result.data, 'status'))) ? 'invalid' : 'unknown';
}
