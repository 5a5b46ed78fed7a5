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
    async add(runner, { txid, outputIndex, script, admittedAt, height, nth, spent, isOwn }) {
      const ad = decodeServiceAd(script);
      if (ad?.protocol !== protocol) return [];
      const ads = new ServiceAds(runner);
      const isAuthored = isOwn || spent.some((one) => decodeServiceAd(one)?.identityKey === ad.identityKey);
      await ads.add({ ...ad, txid, outputIndex }, admittedAt, { height, nth, isAuthored });
      return await ads.surplus(ad);
    },
    prove: (runner, txid, height) => new ServiceAds(runner).prove(txid, height),
    async revoke(runner, script, spentBy) {
      const ad = decodeServiceAd(script);
      if (ad !== undefined) await new ServiceAds(runner).revoke(ad, spentBy);
    },
    restore: (runner, spentBy) => new ServiceAds(runner).restore(spentBy),
    remove: (runner, outpoint) => new ServiceAds(runner).remove(outpoint),
    async find(query) {
      const found = await new ServiceAds(sql).find(protocol, read(query), MOST_FOUND);
      return found.map((ad) => ({ ...ad, host: ad.domain }));
    },
  };
}
