import type { ChainTracker } from '@bsv/sdk';
import pTimeout from 'p-timeout';
import { InvalidTransactionError } from '../beef/invalid-transaction-error.js';
import { notFinalError } from './lock-times.js';
import type { BlockRoot } from './script-process.js';
import { ChainUnavailableError } from './verify-errors.js';

/** A coinbase may be spent when its block has this many blocks on top. */
const COINBASE_MATURITY = 100;
const MAX_CONCURRENT_QUESTIONS = 8;

/** The questions to the chain about one transaction. */
export interface ChainQuestions {
  /** The roots of the merkle paths. */
  readonly roots: readonly BlockRoot[];
  /** Block heights of the coinbases that are spent. */
  readonly spentCoinbases: readonly number[];
  /** The highest lock time that is a block height, of the transactions without proof. */
  readonly lockHeight?: number | undefined;
}

/**
 * Asks the chain whether the merkle roots are those of its blocks, whether spent coinbases were mature, and whether lock
 * times that are block heights have passed.
 *
 * @throws {InvalidTransactionError} `proof` or `final`
 * @throws {ChainUnavailableError} when the chain did not answer in time
 */
export async function askChain(
  tracker: () => Promise<ChainTracker>,
  questions: ChainQuestions,
  timeoutMs: number,
): Promise<void> {
  let problem: InvalidTransactionError | undefined;
  try {
    problem = await pTimeout(findChainProblem(tracker, questions), { milliseconds: timeoutMs });
  } catch (error) {
    // An error of the tracker says nothing about the transaction.
    throw new ChainUnavailableError(error);
  }
  if (problem !== undefined) throw problem;
}

async function findChainProblem(
  openTracker: () => Promise<ChainTracker>,
  { roots, spentCoinbases, lockHeight }: ChainQuestions,
): Promise<InvalidTransactionError | undefined> {
  const tracker = await openTracker();
  // The first root is asked alone, so that an invented transaction costs one request: services limit requests.
  for (let start = 0; start < roots.length; ) {
    const group = roots.slice(start, start === 0 ? 1 : start + MAX_CONCURRENT_QUESTIONS);
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
  return lockHeight !== undefined && height < lockHeight ? notFinalError(`block ${lockHeight}`) : undefined;
}
