import { type Check, ok } from '../check.js';

/** Whether Redis can be reached and used. */
export const redis: Check = {
  name: 'Redis',
  run: async (context) => {
    await context.redis;
    return ok('answers');
  },
};
