import { hasWallet, PublicFetch } from '@messagebox/shared';
import { type Check, fail, notApplicable, ok, warn } from '../check.js';

const SERVICE = 'ls_messagebox';

/** Whether a lookup finds this host: at the host itself, and at the trackers of the network. */
export const overlayFound: Check = {
  name: 'overlay lookup',
  run: async ({ config, limitMs }) => {
    const { network, hostingDomain, overlay } = config;
    if (hostingDomain === undefined) return notApplicable('nothing is advertised');
    const { parseHostingOrigin, queryServiceAds, selectSlapTrackers } = await import('@messagebox/overlay');
    const hosting = parseHostingOrigin(hostingDomain);
    if ('reason' in hosting || !hasWallet(config)) return notApplicable('nothing is advertised');
    const publicFetch = new PublicFetch(network);
    try {
      const ask = async (host: string): Promise<boolean | undefined> => {
        try {
          const question = { service: 'ls_slap', query: { service: SERVICE } };
          const ads = await queryServiceAds(publicFetch, host, question, { timeoutMs: limitMs });
          return ads.some((ad) => ad.protocol === 'SLAP' && ad.name === SERVICE && ad.domain === hosting.origin);
        } catch {
          return undefined;
        }
      };
      const trackers = selectSlapTrackers(network, overlay.slapTrackers);
      const [own, ...others] = await Promise.all([hosting.origin, ...trackers].map(ask));
      if (own === undefined) {
        return fail(
          `${hosting.origin}/lookup gives no answer`,
          'Pass /lookup and /submit on to the overlay, at the root of the origin.',
        );
      }
      if (!own) {
        return warn(
          'the host does not know its own advertisement',
          'Look at the failed jobs (messagebox admin jobs --state failed), and at the balance of the wallet.',
        );
      }
      if (others.length > 0 && !others.includes(true)) {
        return warn(
          'no tracker knows the advertisement',
          'Wait some minutes after the first start. Is SLAP_TRACKERS right?',
        );
      }
      return ok(`found${others.length > 0 ? ' at a tracker' : ''}`);
    } finally {
      await publicFetch.close();
    }
  },
};
