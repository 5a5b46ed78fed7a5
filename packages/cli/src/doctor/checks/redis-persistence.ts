import { type Check, ok, warn } from '../check.js';
import { resultOf } from '../context.js';

/** Whether jobs survive a restart of Redis. */
export const redisPersistence: Check = {
  name: 'Redis persistence',
  run: async (context) => {
    const { isPersistent } = await resultOf(context.redis, 'Redis');
    if (isPersistent === undefined) return ok('it does not say');
    if (isPersistent) return ok('data survives a restart');
    return warn('a restart of Redis loses the jobs of the overlay', 'Set appendonly yes. Messages are not affected.');
  },
};
