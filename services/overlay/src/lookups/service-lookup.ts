import type { SqlRunner } from '@messagebox/store';
import { decodeServiceAd, type ServiceAd } from '../topics/service-ad.js';
import type { LookupDescription, OverlayLookup } from './overlay-lookup.js';
import { invalidQueryError, parseQueryObject, readIdentityField, readTextField } from './query-fields.js';
import { type ServiceAdQuery, ServiceAds } from './service-ads.js';

/** A host has one advertisement for each topic or service that it serves, and clients ask a handful of hosts. */
const MAX_FOUND_HOSTS = 500;
const MAX_QUERIED_TOPICS = 50;

type Query = Readonly<Record<string, unknown>>;

interface ServiceLookup {
  readonly description: LookupDescription;
  /** The query's field for what the hosts serve. */
  readonly nameField: string;
  readonly readNames: (query: Query) => readonly string[] | undefined;
}

const LOOKUPS: Readonly<Record<ServiceAd['protocol'], ServiceLookup>> = {
  SHIP: {
    description: describe('ls_ship', 'tm_ship', 'topics', '"topics": ["tm_…"]'),
    nameField: 'topics',
    readNames: readTopicsField,
  },
  SLAP: {
    description: describe('ls_slap', 'tm_slap', 'lookup services', '"service": "ls_…"'),
    nameField: 'service',
    readNames: (query) => {
      const service = readTextField(query, 'service');
      return service === undefined ? undefined : [service];
    },
  },
};

/** Creates `ls_ship`, which finds the hosts of topics, or `ls_slap`, which finds the hosts of lookup services. */
export function createServiceLookup(protocol: ServiceAd['protocol'], sql: SqlRunner): OverlayLookup {
  return {
    description: LOOKUPS[protocol].description,
    async add(runner, { txid, outputIndex, script, admittedAt, height, nth, spent, isOwn }) {
      const ad = decodeServiceAd(script);
      if (ad?.protocol !== protocol) return [];
      const ads = new ServiceAds(runner);
      const isAuthored = isOwn || spent.some((one) => decodeServiceAd(one)?.identityKey === ad.identityKey);
      await ads.add({ ...ad, txid, outputIndex }, admittedAt, { height, nth, isAuthored });
      return await ads.findSurplus(ad);
    },
    prove: (runner, txid, height) => new ServiceAds(runner).markProven(txid, height),
    async revoke(runner, script, spentBy) {
      const ad = decodeServiceAd(script);
      if (ad !== undefined) await new ServiceAds(runner).revoke(ad, spentBy);
    },
    restore: (runner, spentBy) => new ServiceAds(runner).removeRevocation(spentBy),
    remove: (runner, outpoint) => new ServiceAds(runner).remove(outpoint),
    async find(query) {
      const found = await new ServiceAds(sql).find(protocol, parseServiceQuery(query, protocol), MAX_FOUND_HOSTS);
      return found.map((ad) => ({ ...ad, host: ad.domain }));
    },
  };
}

/** @throws {RuleError} `ERR_INVALID_QUERY` */
function parseServiceQuery(question: unknown, protocol: ServiceAd['protocol']): ServiceAdQuery {
  if (question === 'findAll') return {};
  const { nameField, readNames } = LOOKUPS[protocol];
  const query = parseQueryObject(
    question,
    `"findAll", or an object with \`${nameField}\`, \`domain\` or \`identityKey\``,
  );
  const names = readNames(query);
  const domain = readTextField(query, 'domain');
  const identityKey = readIdentityField(query);
  return {
    ...(names === undefined ? {} : { names }),
    ...(domain === undefined ? {} : { domain }),
    ...(identityKey === undefined ? {} : { identityKey }),
  };
}

function readTopicsField({ topics }: Query): string[] | undefined {
  if (topics === undefined || topics === null) return undefined;
  const isList = Array.isArray(topics) && topics.length <= MAX_QUERIED_TOPICS;
  if (!isList || !topics.every((topic) => typeof topic === 'string' && topic.isWellFormed())) {
    throw invalidQueryError(`topics must be a list of at most ${MAX_QUERIED_TOPICS} names.`);
  }
  return topics;
}

function describe(name: string, topic: string, served: string, nameQuery: string): LookupDescription {
  return {
    name,
    topic,
    shortDescription: `Finds the hosts of ${served}.`,
    documentation: `# ${name}

Finds the hosts of ${served}: the unspent advertisements of \`${topic}\`, at most ${MAX_FOUND_HOSTS} and about a
megabyte. Those in a block come first. One of each transaction, identity and host comes before any second one.

Query: \`"findAll"\`, or \`{${nameQuery}, "domain": "https://…", "identityKey": "02…"}\`. Each field is optional. The domain
must be exactly as advertised.
`,
  };
}
