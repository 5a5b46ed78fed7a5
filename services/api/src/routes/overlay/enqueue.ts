import type { JobQueue, OverlayJobName } from '@messagebox/shared';
import type { RequestHandler } from 'express';

/** Adds a job and answers 202 with its id. The request's body means nothing. */
export function enqueueRoute(jobs: JobQueue, name: OverlayJobName): RequestHandler {
  return async (_request, response) => {
    const jobId = await jobs.add(name, {});
    response.status(202).json({ status: 'success', jobId });
  };
}
