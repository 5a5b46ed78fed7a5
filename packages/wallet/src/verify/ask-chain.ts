import type { ChainTracker } from '@bsv/sdk';
import { within } from '@messagebox/shared';
import { InvalidTransactionError } from '../beef/index.js';
import { notFinal } from './finality.js';
import type { BlockRoot } from './script-process.js';
import { ChainUnavailableError } from './verify-errors.js';

/** A coinbase may be spent when this many blocks are on top of its own. */
const COINBASE_MATURITY = 100;
const ASKED_AT_ONCE = 8;

/** What is to be asked of the chain about one transaction. */
export interface ChainQuestions {
  /** Roots that merkle paths lead to. */
  readonly roots: readonly BlockRoot[];
  /** Heights of the blocks of coinbases that are spent. */
  readonly spentCoinbases: readonly number[];
  /** The highest lock time that is a block height, of transactions that are in no block. */
  readonly lockHeight?: number | undefined;
}

/**
 * Asks the chain whether blocks are as merkle paths say, whether spent coinbases were mature, and whether lock times
 * that are block heights are over.
 *
 * @throws {InvalidTransactionError} `proof` or `final`, when one is not
 * @throws {ChainUnavailableError} when the chain could not be asked, or not in time
 */
export async function askChain(
  tracker: () => Promise<ChainTracker>,
  questions: ChainQuestions,
  timeoutMs: number,
): Promise<void> {
  let wrong: InvalidTransactionError | undefined;
  try {
    wrong = await within(timeoutMs, findWrong(tracker, questions));
  } catch (error) {
    // Whatever a tracker throws means that it is not known, never that something is wrong with the transaction.
    throw new ChainUnavailableError(error);
  }
  if (wrong !== undefined) throw wrong;
}

async function findWrong(
  openTracker: () => Promise<ChainTracker>,
  { roots, spentCoinbases, lockHeight }: ChainQuestions,
): Promise<InvalidTransactionError | undefined> {
  const tracker = await openTracker();
  // The first alone: what is made up costs one question, and services answer only so many.
  for (let start = 0; start < roots.length; ) {
    const group = roots.slice(start, start === 0 ? 1 : start + ASKED_AT_ONCE);
    start += group.length;
    const valid = await Promise.all(group.map(({ root, height }) => tracker.isValidRootForHeight(root, height)));
    const wrong = group[valid.findIndex((isValid) => isValid !== true)];
    if (wrong !== undefined) {
      const reason = `A merkle path does not lead to block ${wrong.height} of the chain.`;
      return new InvalidTransactionError('proof', reason);
    }
  }
  if (spentCoinbases.length === 0 && lockHeight === undefined) return undefined;
  const height = await tracker.currentHeight();
  const youngest = Math.max(...spentCoinbases);
  if (height < youngest + COINBASE_MATURITY) {
    const reason = `The coinbase of block ${youngest} is spent before it is ${COINBASE_MATURITY} blocks deep.`;
    return new InvalidTransactionError('proof', reason);
  }
  return lockHeight !== undefined && height < lockHeight ? notFinal(`block ${lockHeight}`) : undefined;
}
