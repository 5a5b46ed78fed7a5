import type { SqlRunner } from '@messagebox/shared';
import type { OverlayLookup } from './overlay-lookup.js';
import { identityField, invalidQuery, queryObject, textField } from './query.js';
import { serviceLookup } from './service-lookup.js';

const MOST_TOPICS = 50;

const documentation = `# ls_ship

Finds the hosts of topics: the unspent advertisements of \`tm_ship\`, at most 500 and about a
megabyte. Those in a block come first, and of each transaction, identity and host one before any second.

Query: \`"findAll"\`, or \`{"topics": ["tm_…"], "domain": "https://…", "identityKey": "02…"}\`, each of them optional, the
domain exactly as advertised.
`;

/** `ls_ship`: hosts by topic, domain and identity. */
export function shipLookup(sql: SqlRunner): OverlayLookup {
  const description = {
    name: 'ls_ship',
    topic: 'tm_ship',
    shortDescription: 'Finds the hosts of topics.',
    documentation,
  };
  return serviceLookup(sql, 'SHIP', description, (question) => {
    if (question === 'findAll') return {};
    const query = queryObject(question, '"findAll", or an object with `topics`, `domain` or `identityKey`');
    const topics = topicsField(query['topics']);
    const domain = textField(query, 'domain');
    const identityKey = identityField(query);
    return {
      ...(topics === undefined ? {} : { names: topics }),
      ...(domain === undefined ? {} : { domain }),
      ...(identityKey === undefined ? {} : { identityKey }),
    };
  });
}

function topicsField(topics: unknown): string[] | undefined {
  if (topics === undefined || topics === null) return undefined;
  const isList = Array.isArray(topics) && topics.length <= MOST_TOPICS;
  if (!isList || !topics.every((topic) => typeof topic === 'string' && topic.isWellFormed())) {
    throw invalidQuery(`topics must be a list of at most ${MOST_TOPICS} names.`);
  }
  return topics;
}
