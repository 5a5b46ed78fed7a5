import type { LookupQuestion } from '@bsv/sdk';
import type { PublicFetch } from '@messagebox/shared';
import { decodeServiceAd, type ServiceAdOutput } from '../topics/service-ad.js';
import { type LookupBounds, queryLookupService } from './query-lookup-service.js';

/**
 * Asks another overlay host for SHIP and SLAP advertisements. Other outputs are left out. Nothing is verified.
 *
 * @throws as {@link queryLookupService}
 */
export async function queryServiceAds(
  fetch: PublicFetch,
  host: string,
  question: LookupQuestion,
  bounds?: LookupBounds,
): Promise<ServiceAdOutput[]> {
  const found = await queryLookupService(fetch, host, question, bounds);
  return found.flatMap(({ txid, outputIndex, script }) => {
    const ad = decodeServiceAd(script);
    return ad === undefined ? [] : [{ txid, outputIndex, ...ad }];
  });
}
