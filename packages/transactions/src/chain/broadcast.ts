import { setTimeout as delay } from 'node:timers/promises';
import { ChainUnavailableError } from '../verify/verify-errors.js';

/** The network has the transaction, or refuses it for this reason. */
export type BroadcastResult = 'accepted' | { readonly refused: string };

/**
 * The answer of one service about a transaction:
 * - `taken`: nodes have accepted it as valid;
 * - `pending`: the service has stored it, and no node has answered yet;
 * - `invalid`, `double spend`: the service has checked the transaction and refuses it for this reason;
 * - `unknown`: any other answer. It says nothing about the transaction.
 */
export type BroadcastVerdict = 'taken' | 'pending' | 'invalid' | 'double spend' | 'unknown';

/** The services of a network that {@link broadcast} uses. */
export interface BroadcastServices {
  /** @returns one verdict for each service that was asked */
  post(beef: Uint8Array, txid: string): Promise<readonly BroadcastVerdict[]>;
  /** Whether the network has the transaction. Rejects when no service knows. */
  has(txid: string): Promise<boolean>;
}

/** How often the network is asked for a transaction that a service has only stored, and the pause in milliseconds. */
const STATUS_POLLS = { count: 4, pauseMs: 1_500 };

/**
 * Gives a transaction to the network. One service that reports acceptance by nodes is enough. Otherwise the network is
 * asked whether it has the transaction, because some services refuse transactions that they have. The transaction is
 * refused only if a service has checked it and the network does not have it.
 *
 * @param beef AtomicBEEF of `txid`
 * @throws {ChainUnavailableError} when no service accepted it and none gave a reason; worth a retry
 */
export async function broadcast(
  services: BroadcastServices,
  txid: string,
  beef: Uint8Array,
  polls = STATUS_POLLS,
): Promise<BroadcastResult> {
  const verdicts = new Set(await withChainErrors(() => services.post(beef, txid)));
  const isDoubleSpend = verdicts.has('double spend');
  if (verdicts.has('taken') && !isDoubleSpend) return 'accepted';
  for (let poll = 1; ; poll += 1) {
    if (await withChainErrors(() => services.has(txid))) return 'accepted';
    if (isDoubleSpend) return { refused: 'it spends what is spent already' };
    if (!verdicts.has('pending') || poll === polls.count) break;
    await delay(polls.pauseMs);
  }
  if (verdicts.has('invalid')) return { refused: 'it is not valid' };
  throw new ChainUnavailableError(new Error(`No service accepted transaction ${txid}.`));
}

async function withChainErrors<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw new ChainUnavailableError(error);
  }
}
