import type { OwnAdvertisements } from '@messagebox/store';
import type { RequestHandler } from 'express';

/** `GET /overlay/ads`: the current advertisements of this host. */
export function listAdsRoute(ads: OwnAdvertisements): RequestHandler {
  return async (_request, response) => {
    response.json({ status: 'success', ads: await ads.list() });
  };
}
