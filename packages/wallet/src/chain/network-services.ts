import type { PostBeefResult, WalletServices } from '@bsv/wallet-toolbox/out/src/sdk/WalletServices.interfaces.js';
import { field } from '@messagebox/shared';
import { loadToolbox } from '../toolbox.js';
import type { BroadcastServices, Verdict } from './broadcast.js';

/** ARC's states of a transaction (https://bitcoin-sv.github.io/arc), by what they say of it. Any other says nothing. */
const ARC_STATES: Readonly<Record<string, Verdict>> = {
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

/** Of ARC's answers that are errors, those that are about the transaction itself: its form, inputs, outputs, fee. */
const ARC_REFUSALS: ReadonlySet<string> = new Set(['461', '462', '463', '464', '465', '473']);
/** How the toolbox notes that a node has another transaction that spends the same. */
const MEMPOOL_CONFLICT = 'postRawTxErrorMempoolConflict';

/** Main and test, by way of the services that the toolbox asks. */
export function networkServices(services: Pick<WalletServices, 'postBeef' | 'getStatusForTxids'>): BroadcastServices {
  return {
    post: async (beef, txid) => {
      const { sdk } = await loadToolbox();
      const results = await services.postBeef(sdk.Beef.fromBinary([...beef]), [txid]);
      return results.map((result) => verdictOf(result, txid));
    },
    has: async (txid) => {
      const { status, results, error } = await services.getStatusForTxids([txid]);
      if (status !== 'success') throw new Error('No service knows what the network has.', { cause: error });
      return results.some((one) => one.txid === txid && (one.status === 'mined' || one.status === 'known'));
    },
  };
}

/**
 * The toolbox says success of what some services have not even answered to, of what ARC calls rejected, and "double spend"
 * of what lacks an ancestor; so its words are taken only together with what they rest on.
 */
function verdictOf({ status, txidResults }: PostBeefResult, txid: string): Verdict {
  const result = txidResults.find((one) => one.txid === txid);
  if (result === undefined) return 'unknown';
  if (result.status === 'success') {
    if (status !== 'success') return 'unknown';
    const [state = ''] = typeof result.data === 'string' ? result.data.split(' ') : [];
    if (state === '') return 'taken';
    return Object.hasOwn(ARC_STATES, state) ? (ARC_STATES[state] as Verdict) : 'unknown';
  }
  const hasRival =
    (result.competingTxs ?? []).length > 0 || result.notes?.some(({ what }) => what === MEMPOOL_CONFLICT) === true;
  if (result.doubleSpend === true) return hasRival ? 'double spend' : 'unknown';
  return ARC_REFUSALS.has(String(field(result.data, 'status'))) ? 'invalid' : 'unknown';
}
