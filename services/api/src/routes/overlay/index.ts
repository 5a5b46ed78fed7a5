import { type JobQueue, overlayJobNames } from '@messagebox/shared';
import type { AuditLog, OwnAdvertisements } from '@messagebox/store';
import type { IRouter, RequestHandler } from 'express';
import { enqueueJobRoute } from './enqueue-job.js';
import { findJobRoute } from './find-job.js';
import { listAdsRoute } from './list-ads.js';

/** Adds the administrator routes of the overlay. They only add jobs and read. */
export function addOverlayRoutes(
  routes: IRouter,
  options: {
    /** Authenticate administrators, for routes that read and for others. */
    readonly reading: RequestHandler[];
    readonly writing: RequestHandler[];
    readonly jobs: JobQueue;
    readonly ads: OwnAdvertisements;
    readonly audit: AuditLog;
  },
): void {
  const { reading, writing, jobs, ads, audit } = options;
  for (const name of [overlayJobNames.advertise, overlayJobNames.revoke, overlayJobNames.rebroadcast]) {
    routes.post(`/overlay/${name}`, writing, enqueueJobRoute({ jobs, audit }, name));
  }
  routes.get('/overlay/jobs/:id', reading, findJobRoute(jobs));
  routes.get('/overlay/ads', reading, listAdsRoute(ads));
}
