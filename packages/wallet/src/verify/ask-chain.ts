import type { ChainTracker } from '@bsv/sdk';
import { within } from '@messagebox/shared';
import { InvalidTransactionError } from '../beef/index.js';
import type { BlockRoot } from './script-process.js';
import { ChainUnavailableError } from './verify-errors.js';

/** A coinbase may be spent when this many blocks are on top of its own. */
const COINBASE_MATURITY = 100;
const ASKED_AT_ONCE = 8;

/**
 * Asks the chain whether blocks are as merkle paths say, and whether spent coinbases were mature.
 *
 * @throws {InvalidTransactionError} `proof`, when one is not
 * @throws {ChainUnavailableError} when the chain could not be asked, or not in time
 */
export async function askChain(
  tracker: () => Promise<ChainTracker>,
  roots: readonly BlockRoot[],
  spentCoinbases: readonly number[],
  timeoutMs: number,
): Promise<void> {
  let wrong: string | undefined;
  try {
    wrong = await within(timeoutMs, findWrong(tracker, roots, spentCoinbases));
  } catch (error) {
    // Whatever a tracker throws means that it is not known, never that something is wrong with the transaction.
    throw new ChainUnavailableError(error);
  }
  if (wrong !== undefined) throw new InvalidTransactionError('proof', wrong);
}

async function findWrong(
  openTracker: () => Promise<ChainTracker>,
  roots: readonly BlockRoot[],
  spentCoinbases: readonly number[],
): Promise<string | undefined> {
  const tracker = await openTracker();
  // The first alone: what is made up costs one question, and services answer only so many.
  for (let start = 0; start < roots.length; ) {
    const group = roots.slice(start, start === 0 ? 1 : start + ASKED_AT_ONCE);
    start += group.length;
    const valid = await Promise.all(group.map(({ root, height }) => tracker.isValidRootForHeight(root, height)));
    const wrong = group[valid.findIndex((isValid) => isValid !== true)];
    if (wrong !== undefined) return `A merkle path does not lead to block ${wrong.height} of the chain.`;
  }
  if (spentCoinbases.length === 0) return undefined;
  const youngest = Math.max(...spentCoinbases);
  const mature = (await tracker.currentHeight()) >= youngest + COINBASE_MATURITY;
  return mature
    ? undefined
    : `The coinbase of block ${youngest} is spent before it is ${COINBASE_MATURITY} blocks deep.`;
}
