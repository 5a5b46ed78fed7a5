import { setTimeout as delay } from 'node:timers/promises';
import { ChainUnavailableError } from '../verify/verify-errors.js';

/** What the network made of a transaction: it has it, or won't take it, for this reason. */
export type Broadcast = 'accepted' | { readonly refused: string };

/**
 * What one service made of a transaction:
 * - `taken`: nodes have taken it for valid;
 * - `pending`: the service has it, and no node has said anything yet;
 * - `invalid`, `double spend`: it has looked at the transaction, and this is why it won't take it;
 * - `unknown`: anything else, by which nothing is said of the transaction.
 */
export type Verdict = 'taken' | 'pending' | 'invalid' | 'double spend' | 'unknown';

export interface BroadcastServices {
  /** One for each service that was asked. */
  post(beef: Uint8Array, txid: string): Promise<readonly Verdict[]>;
  /** Whether the network has the transaction. Rejects when that can't be found out. */
  has(txid: string): Promise<boolean>;
}

/** How often, and after how many milliseconds, the network is asked for a transaction that a service has only stored. */
const LOOKS = { count: 4, pauseMs: 1_500 };

/**
 * Gives a transaction to the network. One service that says that nodes have taken it is enough. Otherwise the network is
 * asked whether it has the transaction all the same, as some services refuse what they have; and only what a service has
 * looked at, and the network doesn't have, is refused.
 *
 * @throws {ChainUnavailableError} when nobody took it and nobody said why: worth another try
 */
export async function broadcast(
  services: BroadcastServices,
  txid: string,
  beef: Uint8Array,
  looks = LOOKS,
): Promise<Broadcast> {
  const verdicts = new Set(await asked(() => services.post(beef, txid)));
  const isDoubleSpend = verdicts.has('double spend');
  if (verdicts.has('taken') && !isDoubleSpend) return 'accepted';
  for (let look = 1; ; look += 1) {
    if (await asked(() => services.has(txid))) return 'accepted';
    if (isDoubleSpend) return { refused: 'it spends what is spent already' };
    if (!verdicts.has('pending') || look === looks.count) break;
    await delay(looks.pauseMs);
  }
  if (verdicts.has('invalid')) return { refused: 'it is not valid' };
  throw new ChainUnavailableError(new Error(`No service took transaction ${txid}.`));
}

async function asked<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw new ChainUnavailableError(error);
  }
}
