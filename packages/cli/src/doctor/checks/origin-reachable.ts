import { describeNetworkError } from '../../client/network-errors.js';
import { type Check, fail, ok } from '../check.js';
import { TimeLimitError } from '../time-limit.js';

/** Whether anything answers HTTP at the public origin. */
export const originReachable: Check = {
  name: 'origin',
  run: async ({ origin }) => {
    try {
      const { status } = await origin.health;
      return ok(`${origin.origin} answers (${status})`);
    } catch (error) {
      const reason =
        error instanceof TimeLimitError ? error.message : (describeNetworkError(error) ?? 'what answers is no HTTP');
      return fail(
        `${origin.origin}: ${reason}`,
        'Is the edge running, with this name and port? Does a firewall let this host through?',
      );
    }
  },
};
