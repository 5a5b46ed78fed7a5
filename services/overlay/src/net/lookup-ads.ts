import type { LookupQuestion } from '@bsv/sdk';
import type { ServiceAdOutput } from '../lookups/service-ads.js';
import { decodeServiceAd } from '../topics/service-ad.js';
import { type LookupBounds, lookupAt } from './lookup-at.js';
import type { PublicFetch } from './public-fetch.js';

/**
 * The SHIP and SLAP advertisements that another overlay host finds; what is none is left out. Unproven.
 *
 * @throws as {@link lookupAt}
 */
export async function lookupAds(
  fetch: PublicFetch,
  host: string,
  question: LookupQuestion,
  bounds?: LookupBounds,
): Promise<ServiceAdOutput[]> {
  const found = await lookupAt(fetch, host, question, bounds);
  return found.flatMap(({ txid, outputIndex, script }) => {
    const ad = decodeServiceAd(script);
    return ad === undefined ? [] : [{ txid, outputIndex, ...ad }];
  });
}
