import type { OwnAdvertisements } from '@messagebox/shared';
import type { RequestHandler } from 'express';

/** `GET /overlay/ads`: this host's own advertisements that live. */
export function listAdsRoute(ads: OwnAdvertisements): RequestHandler {
  return async (_request, response) => {
    response.json({ status: 'success', ads: await ads.list() });
  };
}
