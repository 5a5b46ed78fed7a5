import type { SqlRunner } from '@messagebox/shared';
import type { OverlayLookup } from './overlay-lookup.js';
import { identityField, queryObject, textField } from './query.js';
import { serviceLookup } from './service-lookup.js';

const documentation = `# ls_slap

Finds the hosts of lookup services: the unspent advertisements of \`tm_slap\`, at most 500 and about a
megabyte. Those in a block come first, and of each transaction, identity and host one before any second.

Query: \`"findAll"\`, or \`{"service": "ls_…", "domain": "https://…", "identityKey": "02…"}\`, each of them optional, the
domain exactly as advertised.
`;

/** `ls_slap`: hosts by lookup service, domain and identity. */
export function slapLookup(sql: SqlRunner): OverlayLookup {
  const description = {
    name: 'ls_slap',
    topic: 'tm_slap',
    shortDescription: 'Finds the hosts of lookup services.',
    documentation,
  };
  return serviceLookup(sql, 'SLAP', description, (question) => {
    if (question === 'findAll') return {};
    const query = queryObject(question, '"findAll", or an object with `service`, `domain` or `identityKey`');
    const service = textField(query, 'service');
    const domain = textField(query, 'domain');
    const identityKey = identityField(query);
    return {
      ...(service === undefined ? {} : { names: [service] }),
      ...(domain === undefined ? {} : { domain }),
      ...(identityKey === undefined ? {} : { identityKey }),
    };
  });
}
