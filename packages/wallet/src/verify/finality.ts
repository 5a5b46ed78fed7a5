import { InvalidTransactionError, type RawTransaction } from '../beef/index.js';

/** What lock times ask for before their transactions may be in a block; undefined: nothing. */
export interface LockedUntil {
  /** A height that the chain must have reached. */
  readonly height: number | undefined;
  /** Seconds since 1970 that blocks must have passed. */
  readonly time: number | undefined;
}

/** nLockTime is a height below this, and a time from here on. */
const FIRST_LOCK_TIME = 500_000_000;
const FINAL_SEQUENCE = 0xffff_ffff;
/**
 * Miners compare with the median time of the last eleven blocks, which is about an hour behind the clock, and seldom more
 * than two. Waiting that long costs an honest sender little; believing too early would be delivering for nothing.
 */
const BLOCKS_BEHIND_CLOCK_S = 7_200;

/**
 * The latest lock times of transactions that ask for them to be waited for: any input with another sequence number than
 * 0xffffffff does. Until then they are in no block, and can be replaced by others that spend the same.
 */
export function lockedUntil(transactions: readonly Pick<RawTransaction, 'inputs' | 'lockTime'>[]): LockedUntil {
  const waiting = transactions.filter(
    ({ lockTime, inputs }) => lockTime > 0 && inputs.some(({ sequence }) => sequence !== FINAL_SEQUENCE),
  );
  const lockTimes = waiting.map(({ lockTime }) => lockTime);
  return {
    height: highest(lockTimes.filter((lockTime) => lockTime < FIRST_LOCK_TIME)),
    time: highest(lockTimes.filter((lockTime) => lockTime >= FIRST_LOCK_TIME)),
  };
}

/**
 * Compares with the clock. Heights are asked of the chain instead, see `askChain()`.
 *
 * @param nowMs milliseconds since 1970
 * @throws {InvalidTransactionError} `final`, unless blocks have passed the time for certain
 */
export function assertTimePassed({ time }: LockedUntil, nowMs: number): void {
  if (time === undefined || time < nowMs / 1_000 - BLOCKS_BEHIND_CLOCK_S) return;
  throw notFinal(new Date(time * 1_000).toISOString());
}

/** @param until a block or a time, in words */
export function notFinal(until: string): InvalidTransactionError {
  const message = `The transaction, or an ancestor of it that is in no block, is not final: its lock time is ${until}.`;
  return new InvalidTransactionError('final', message);
}

function highest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((a, b) => Math.max(a, b));
}
