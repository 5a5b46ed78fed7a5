import { type Check, fail, ok } from '../check.js';
import { resultOf } from '../context.js';

/** Whether Redis takes writes. */
export const redisWrites: Check = {
  name: 'Redis writes',
  run: async (context) => {
    const { isReplica, writeProblem } = await resultOf(context.redis, 'Redis');
    if (isReplica) return fail('it is a replica', 'Set REDIS_URL to the primary server.');
    if (writeProblem === undefined) return ok('allowed');
    if (writeProblem.startsWith('OOM')) return fail('its memory is full', 'Raise maxmemory, or free some.');
    return fail(`refused: ${writeProblem}`, 'Allow the user of REDIS_URL to write keys below REDIS_PREFIX.');
  },
};
