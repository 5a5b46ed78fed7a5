import { type Check, fail, ok, warn } from '../check.js';
import { resultOf } from '../context.js';

const TOLERATED_MS = 2_000;
/** Beyond this, messages expire visibly too early or too late, and sessions of other instances may be refused. */
const MAX_MS = 30_000;

/** Whether the clocks of the database and of this host agree. */
export const databaseClock: Check = {
  name: 'database clock',
  run: async (context) => {
    const { clockAheadMs, clockToleranceMs } = await resultOf(context.database, 'the database');
    const difference = Math.max(0, Math.abs(clockAheadMs) - clockToleranceMs);
    const seconds = Math.round(difference / 1000);
    const seen = `the database's clock is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this host's`;
    if (difference <= TOLERATED_MS) return ok('the clocks agree');
    const advice = 'Synchronise both clocks with NTP. Messages expire by the clock of the database.';
    return difference <= MAX_MS ? warn(seen, advice) : fail(seen, advice);
  },
};
