import { type Check, fail, ok } from '../check.js';
import { resultOf } from '../context.js';

/** Whether Redis keeps what it has been given. */
export const redisEviction: Check = {
  name: 'Redis eviction',
  run: async (context) => {
    const { evictionPolicy } = await resultOf(context.redis, 'Redis');
    if (evictionPolicy === 'noeviction') return ok('noeviction');
    return fail(
      `maxmemory-policy is ${evictionPolicy}: Redis may drop jobs and the addresses of instances`,
      'Set maxmemory-policy to noeviction.',
    );
  },
};
