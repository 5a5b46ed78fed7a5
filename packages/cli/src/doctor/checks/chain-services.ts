import { createChain } from '@messagebox/wallet';
import { type Check, fail, notApplicable, ok } from '../check.js';
import { withTimeLimit } from '../time-limit.js';

/** Whether the services of the network answer: payments can't be verified without them. */
export const chainServices: Check = {
  name: 'chain services',
  run: async ({ config, limitMs }) => {
    const { network } = config;
    if (network === 'local') return notApplicable('the play chain is in the own database');
    const database = { client: 'better-sqlite3', filename: ':memory:' } as const; // not used on main and test
    const chain = createChain({ network, database });
    try {
      const tracker = await chain.getTracker();
      const height = await withTimeLimit(limitMs, () => tracker.currentHeight());
      return ok(`${network}, height ${height}`);
    } catch {
      return fail(
        `the block service of network ${network} can't be reached`,
        'Allow requests to https://api.whatsonchain.com. Payments are refused meanwhile; free messages work.',
      );
    } finally {
      await chain.close();
    }
  },
};
