import type { SqlRunner } from '@messagebox/shared';
import { decodeServiceAd, type ServiceAd } from '../topics/service-ad.js';
import type { LookupDescription, OverlayLookup } from './overlay-lookup.js';
import { type ServiceAdQuery, ServiceAds } from './service-ads.js';

/** A host has one for each topic or service that it serves, and clients ask a handful of hosts. */
const MOST_FOUND = 500;

/**
 * A lookup service for one kind of host advertisement.
 *
 * @param read what a query asks for; throws `ERR_INVALID_QUERY`
 */
export function serviceLookup(
  sql: SqlRunner,
  protocol: ServiceAd['protocol'],
  description: LookupDescription,
  read: (query: unknown) => ServiceAdQuery,
): OverlayLookup {
  return {
    description,
    async add(runner, { txid, outputIndex, script, admittedAt }) {
      const ad = decodeServiceAd(script);
      if (ad?.protocol === protocol) await new ServiceAds(runner).add({ ...ad, txid, outputIndex }, admittedAt);
      return [];
    },
    remove: (runner, outpoint) => new ServiceAds(runner).remove(outpoint),
    find: (query) => new ServiceAds(sql).find(protocol, read(query), MOST_FOUND),
  };
}
