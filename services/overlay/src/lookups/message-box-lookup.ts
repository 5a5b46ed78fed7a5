import { MessageBoxAdvertisements, type SqlRunner } from '@messagebox/store';
import { decodeMessageBoxAd } from '../topics/message-box-ad.js';
import type { OverlayLookup } from './overlay-lookup.js';
import { parseQueryObject, readIdentityField, readTextField } from './query-fields.js';

/** Clients use the first one. The others are found so that their owner can revoke them. */
const MAX_FOUND_ADS = 100;

const documentation = `# ls_messagebox

Finds the hosts where an identity receives its messages: the unspent advertisements of \`tm_messagebox\`, at most
${MAX_FOUND_ADS}, and about a megabyte. Those in a block come first, beginning with the latest block. Those in no block
follow, beginning with the newest. Copies of one advertisement come after all others.

At most 100 hosts are held for one identity. A further one replaces the oldest, but one that is in no block never replaces
one that is in a block. After a revocation, a new advertisement for the same host is found only when it is in a block, or
spends another advertisement of the same identity.

Query: \`{"identityKey": "02…", "host": "https://…"}\`. Each field is optional. The host must be exactly as advertised.
`;

/** Creates `ls_messagebox`, which finds message box advertisements by identity and host. */
export function createMessageBoxLookup(sql: SqlRunner): OverlayLookup {
  return {
    description: {
      name: 'ls_messagebox',
      topic: 'tm_messagebox',
      shortDescription: 'Finds where an identity receives its messages.',
      documentation,
    },
    async add(runner, { txid, outputIndex, script, admittedAt, height, nth, spent, isOwn }) {
      const ad = decodeMessageBoxAd(script);
      if (ad === undefined) return [];
      const ads = new MessageBoxAdvertisements(runner);
      const isAuthored = isOwn || spent.some((one) => decodeMessageBoxAd(one)?.identityKey === ad.identityKey);
      await ads.add({ txid, outputIndex, ...ad, createdAt: admittedAt }, { height, nth, isAuthored });
      return await ads.findSurplus(ad.identityKey, ad.host);
    },
    prove: (runner, txid, height) => new MessageBoxAdvertisements(runner).markProven(txid, height),
    async revoke(runner, script, spentBy) {
      const ad = decodeMessageBoxAd(script);
      if (ad !== undefined) await new MessageBoxAdvertisements(runner).revoke(ad.identityKey, ad.host, spentBy);
    },
    restore: (runner, spentBy) => new MessageBoxAdvertisements(runner).removeRevocation(spentBy),
    remove: (runner, { txid, outputIndex }) => new MessageBoxAdvertisements(runner).remove(txid, outputIndex),
    async find(question) {
      const query = parseQueryObject(question, 'an object with `identityKey`, `host` or both');
      const identityKey = readIdentityField(query);
      const host = readTextField(query, 'host');
      return await new MessageBoxAdvertisements(sql).find(
        { ...(identityKey === undefined ? {} : { identityKey }), ...(host === undefined ? {} : { host }) },
        MAX_FOUND_ADS,
      );
    },
  };
}
