import { type JobQueue, overlayJob } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { enqueueRoute } from './enqueue.js';

/** `POST /overlay/rebroadcast`: tells trackers again of transactions that they have not accepted. */
export function rebroadcastRoute(jobs: JobQueue): RequestHandler {
  return enqueueRoute(jobs, overlayJob.rebroadcast);
}
