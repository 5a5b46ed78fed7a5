import { describeNetworkError } from '../../client/network-errors.js';
import { createIdentity } from '../../identity/identity.js';
import { type Check, fail, notApplicable, ok } from '../check.js';
import { shakeHands } from '../origin/signed-exchange.js';
import { TimeLimitError } from '../time-limit.js';

/** Whether the storage of the server's wallet answers with a handshake of BRC-103. */
export const walletStorage: Check = {
  name: 'wallet storage',
  run: async ({ config, limitMs }) => {
    const { network, walletStorageUrl } = config;
    if (network === 'local') return notApplicable('the wallet is in the own database');
    if (walletStorageUrl === undefined)
      return notApplicable('WALLET_STORAGE_URL is not set: no fees, no advertisements');
    const advice = 'Correct WALLET_STORAGE_URL, or ask the operator of the storage.';
    try {
      const { wallet } = createIdentity('doctor');
      const outcome = await shakeHands(new URL(walletStorageUrl).origin, wallet, limitMs);
      if (outcome.kind === 'session') return ok(`answers as ${outcome.session.serverKey}`);
      return fail(`what answers there is no wallet storage (HTTP ${outcome.status}, ${outcome.reason})`, advice);
    } catch (error) {
      const reason =
        error instanceof TimeLimitError ? error.message : (describeNetworkError(error) ?? 'the connection failed');
      return fail(`it can't be reached: ${reason}`, advice);
    }
  },
};
