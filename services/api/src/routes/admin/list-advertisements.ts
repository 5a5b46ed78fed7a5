import type { OwnAdvertisements } from '@messagebox/store';
import type { RequestHandler } from 'express';

/** `GET /admin/advertisements`: the current advertisements of this host. */
export function listAdvertisementsRoute(ads: OwnAdvertisements): RequestHandler {
  return async (_request, response) => {
    response.json({ status: 'success', advertisements: await ads.list() });
  };
}
