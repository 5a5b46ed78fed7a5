import { type JobQueue, overlayJob } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { enqueueRoute } from './enqueue.js';

/** `POST /overlay/revoke`: takes this host's advertisements back. */
export function revokeRoute(jobs: JobQueue): RequestHandler {
  return enqueueRoute(jobs, overlayJob.revoke);
}
