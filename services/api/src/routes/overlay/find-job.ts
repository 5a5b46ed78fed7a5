import { type JobQueue, RuleError } from '@messagebox/shared';
import type { Request, RequestHandler } from 'express';

/** `GET /overlay/jobs/:id` */
export function findJobRoute(jobs: JobQueue): RequestHandler<{ id: string }> {
  return async (request: Request<{ id: string }>, response) => {
    const job = await jobs.find(request.params.id);
    if (job === undefined) throw new RuleError('ERR_JOB_NOT_FOUND', 'There is no such job, or not any more.', 404);
    response.json({ status: 'success', job });
  };
}
