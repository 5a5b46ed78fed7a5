import { type JobQueue, overlayJob } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { enqueueRoute } from './enqueue.js';

/** `POST /overlay/advertise`: makes what should be advertised be advertised. */
export function advertiseRoute(jobs: JobQueue): RequestHandler {
  return enqueueRoute(jobs, overlayJob.advertise);
}
