import { InvalidTransactionError } from '../beef/invalid-transaction-error.js';
import type { RawTransaction } from '../beef/transaction.js';

/** The lock times that have to pass before the transactions can be in a block. Undefined: none. */
export interface LockTimes {
  /** The chain must have reached this height. */
  readonly height: number | undefined;
  /** The median time of the blocks must have passed this time, in seconds since 1970. */
  readonly time: number | undefined;
}

/** nLockTime is a block height below this value, and a time from this value on. */
const LOCKTIME_THRESHOLD = 500_000_000;
const FINAL_SEQUENCE = 0xffff_ffff;
/**
 * Miners compare with the median time of the last eleven blocks, which is about an hour behind the clock, and seldom more
 * than two. The wait costs an honest sender little, and an early acceptance would deliver messages for nothing.
 */
const MEDIAN_TIME_LAG_SECONDS = 7_200;

/**
 * Finds the latest lock times that are in force: a lock time counts if any input has a sequence number other than
 * 0xffffffff. Until it has passed, the transaction is in no block and can be replaced by one that spends the same outputs.
 */
export function findLockTimes(transactions: readonly Pick<RawTransaction, 'inputs' | 'lockTime'>[]): LockTimes {
  const waiting = transactions.filter(
    ({ lockTime, inputs }) => lockTime > 0 && inputs.some(({ sequence }) => sequence !== FINAL_SEQUENCE),
  );
  const lockTimes = waiting.map(({ lockTime }) => lockTime);
  return {
    height: findHighest(lockTimes.filter((lockTime) => lockTime < LOCKTIME_THRESHOLD)),
    time: findHighest(lockTimes.filter((lockTime) => lockTime >= LOCKTIME_THRESHOLD)),
  };
}

/**
 * Compares a lock time with the clock. Block heights are compared by `askChain()`.
 *
 * @param nowMs milliseconds since 1970
 * @throws {InvalidTransactionError} `final`, unless the blocks have certainly passed the time
 */
export function assertLockTimePassed({ time }: LockTimes, nowMs: number): void {
  if (time === undefined || time < nowMs / 1_000 - MEDIAN_TIME_LAG_SECONDS) return;
  throw notFinalError(new Date(time * 1_000).toISOString());
}

/**
 * The transaction, or an ancestor, is locked.
 *
 * @param until a block or a time, in words
 */
export function notFinalError(until: string): InvalidTransactionError {
  const message = `The transaction, or an ancestor of it that is in no block, is not final: its lock time is ${until}.`;
  return new InvalidTransactionError('final', message);
}

function findHighest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((a, b) => Math.max(a, b));
}
