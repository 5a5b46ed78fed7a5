import { RuleError } from '@messagebox/messages';
import type { JobQueue } from '@messagebox/shared';
import type { Request, RequestHandler } from 'express';

/** `GET /overlay/jobs/:id` */
export function findJobRoute(jobs: JobQueue): RequestHandler<{ id: string }> {
  return async (request: Request<{ id: string }>, response) => {
    const job = await jobs.find(request.params.id);
    if (job === undefined)
      throw new RuleError('ERR_JOB_NOT_FOUND', 'This job does not exist, or it finished long ago.', 404);
    response.json({ status: 'success', job });
  };
}
