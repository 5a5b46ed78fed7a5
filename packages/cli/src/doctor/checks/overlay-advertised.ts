import { hasWallet } from '@messagebox/shared';
import { type Check, notApplicable, ok, warn } from '../check.js';

/** Whether this host can advertise itself at all. */
export const overlayAdvertised: Check = {
  name: 'overlay host',
  run: async ({ config }) => {
    if (config.hostingDomain === undefined) return notApplicable('HOSTING_DOMAIN is not set: nothing is advertised');
    const { parseHostingOrigin } = await import('@messagebox/overlay');
    const hosting = parseHostingOrigin(config.hostingDomain);
    if ('reason' in hosting)
      return warn(`${hosting.reason}: nothing is advertised`, 'Set HOSTING_DOMAIN to a public https origin.');
    if (!hasWallet(config)) {
      return warn(
        'the server has no wallet: nothing is advertised',
        'Set WALLET_STORAGE_URL, and pay the wallet some satoshis.',
      );
    }
    return ok(hosting.origin);
  },
};
