import type { JobQueue, OwnAdvertisements } from '@messagebox/shared';
import type { IRouter, RequestHandler } from 'express';
import { advertiseRoute } from './advertise.js';
import { findJobRoute } from './find-job.js';
import { listAdsRoute } from './list-ads.js';
import { rebroadcastRoute } from './rebroadcast.js';
import { revokeRoute } from './revoke.js';

/** Adds the operator's control of the overlay to routes that are behind authentication. It only enqueues and reads. */
export function addOverlayRoutes(
  routes: IRouter,
  parts: { readonly admin: RequestHandler; readonly jobs: JobQueue; readonly ads: OwnAdvertisements },
): void {
  const { admin, jobs, ads } = parts;
  routes.post('/overlay/advertise', admin, advertiseRoute(jobs));
  routes.post('/overlay/revoke', admin, revokeRoute(jobs));
  routes.post('/overlay/rebroadcast', admin, rebroadcastRoute(jobs));
  routes.get('/overlay/jobs/:id', admin, findJobRoute(jobs));
  routes.get('/overlay/ads', admin, listAdsRoute(ads));
}
