import { MessageBoxAdvertisements, type SqlRunner } from '@messagebox/shared';
import { decodeMessageBoxAd } from '../topics/message-box-ad.js';
import type { OverlayLookup } from './overlay-lookup.js';
import { identityField, queryObject, textField } from './query.js';

/** Clients take the first; the others are there to be revoked. */
const MOST_FOUND = 100;

const documentation = `# ls_messagebox

Finds the hosts where an identity takes its messages: the unspent advertisements of \`tm_messagebox\`, at most
${MOST_FOUND}, and about a megabyte. Those in a block come first, of the latest block the first; then those that are in
none, of what was said last the first. Copies of one advertisement come after all others.

Of one identity 100 hosts are held: for a further one the oldest leaves, and what is in a block for nothing that is not.
What an identity has revoked is found again only when its new advertisement is in a block, or spends another one of its.

Query: \`{"identityKey": "02…", "host": "https://…"}\`, each of them optional, the host exactly as advertised.
`;

/** `ls_messagebox`: message box advertisements by identity and host. */
export function messageBoxLookup(sql: SqlRunner): OverlayLookup {
  return {
    description: {
      name: 'ls_messagebox',
      topic: 'tm_messagebox',
      shortDescription: 'Finds where an identity takes its messages.',
      documentation,
    },
    async add(runner, { txid, outputIndex, script, admittedAt, height, nth, spent, isOwn }) {
      const ad = decodeMessageBoxAd(script);
      if (ad === undefined) return [];
      const ads = new MessageBoxAdvertisements(runner);
      const isAuthored = isOwn || spent.some((one) => decodeMessageBoxAd(one)?.identityKey === ad.identityKey);
      await ads.add({ txid, outputIndex, ...ad, createdAt: admittedAt }, { height, nth, isAuthored });
      return await ads.surplus(ad.identityKey, ad.host);
    },
    prove: (runner, txid, height) => new MessageBoxAdvertisements(runner).prove(txid, height),
    async revoke(runner, script, spentBy) {
      const ad = decodeMessageBoxAd(script);
      if (ad !== undefined) await new MessageBoxAdvertisements(runner).revoke(ad.identityKey, ad.host, spentBy);
    },
    restore: (runner, spentBy) => new MessageBoxAdvertisements(runner).restore(spentBy),
    remove: (runner, { txid, outputIndex }) => new MessageBoxAdvertisements(runner).remove(txid, outputIndex),
    async find(question) {
      const query = queryObject(question, 'an object with `identityKey`, `host` or both');
      const identityKey = identityField(query);
      const host = textField(query, 'host');
      return await new MessageBoxAdvertisements(sql).find(
        { ...(identityKey === undefined ? {} : { identityKey }), ...(host === undefined ? {} : { host }) },
        MOST_FOUND,
      );
    },
  };
}
