import { type Check, notApplicable, ok, warn } from '../check.js';
import { resultOf } from '../context.js';

/** The header has whole seconds, and an answer takes a moment. */
const TOLERATED_MS = 5_000;

/** Whether the clock of the server at the origin agrees with this host's. */
export const originClock: Check = {
  name: 'origin clock',
  run: async ({ origin }) => {
    const { headers } = await resultOf(origin.health, 'the origin');
    const time = Date.parse(headers.date ?? '');
    if (Number.isNaN(time)) return notApplicable('the answer has no Date header');
    const difference = time - Date.now();
    if (Math.abs(difference) <= TOLERATED_MS) return ok('the clocks agree');
    return warn(
      `the origin's clock is ${Math.round(Math.abs(difference) / 1000)} s ${difference > 0 ? 'ahead of' : 'behind'} this host's`,
      'Synchronise the clocks with NTP. Sessions from more than 60 s in the future are refused.',
    );
  },
};
