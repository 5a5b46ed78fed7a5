import { MessageBoxAdvertisements, type SqlRunner } from '@messagebox/shared';
import { decodeMessageBoxAd } from '../topics/message-box-ad.js';
import type { OverlayLookup } from './overlay-lookup.js';
import { identityField, queryObject, textField } from './query.js';

/** Clients take the first; the others are there to be revoked. */
const MOST_FOUND = 100;
/** Advertisements of one identity: nobody is told of more. */
const MOST_OF_ONE = MOST_FOUND;

const documentation = `# ls_messagebox

Finds the hosts where an identity takes its messages: the unspent advertisements of \`tm_messagebox\`, the one admitted last
first, at most ${MOST_FOUND}, and about a megabyte.

Of one identity ${MOST_OF_ONE} are held: for a further one the oldest leaves, first of those that are in no block.

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
    async add(runner, { txid, outputIndex, script, admittedAt }) {
      const ad = decodeMessageBoxAd(script);
      if (ad === undefined) return [];
      const ads = new MessageBoxAdvertisements(runner);
      await ads.add({ txid, outputIndex, ...ad, createdAt: admittedAt });
      return await ads.surplus(ad.identityKey, txid, MOST_OF_ONE);
    },
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
