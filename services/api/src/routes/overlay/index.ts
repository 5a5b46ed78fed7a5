import { type JobQueue, type OwnAdvertisements, overlayJob } from '@messagebox/shared';
import type { IRouter, RequestHandler } from 'express';
import { enqueueRoute } from './enqueue.js';
import { findJobRoute } from './find-job.js';
import { listAdsRoute } from './list-ads.js';

/** Adds the operator's control of the overlay to routes that are behind authentication. It only enqueues and reads. */
export function addOverlayRoutes(
  routes: IRouter,
  parts: { readonly admin: RequestHandler; readonly jobs: JobQueue; readonly ads: OwnAdvertisements },
): void {
  const { admin, jobs, ads } = parts;
  for (const name of [overlayJob.advertise, overlayJob.revoke, overlayJob.rebroadcast]) {
    routes.post(`/overlay/${name}`, admin, enqueueRoute(jobs, name));
  }
  routes.get('/overlay/jobs/:id', admin, findJobRoute(jobs));
  routes.get('/overlay/ads', admin, listAdsRoute(ads));
}
