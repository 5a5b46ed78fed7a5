import { RuleError } from '@messagebox/messages';
import type { JobQueue, JobState } from '@messagebox/shared';
import type { AuditLog } from '@messagebox/store';
import type { RequestHandler } from 'express';
import { parseChoice, parsePageLimit } from '../../http/admin-request.js';
import { getCallerKey } from '../../http/get-caller-key.js';

const STATES: readonly [JobState, ...JobState[]] = ['failed', 'waiting', 'delayed', 'active', 'completed'];

/** `GET /admin/jobs?state=failed&limit=50`: jobs of the overlay, those that were added last first. */
export function listJobsRoute(jobs: Pick<JobQueue, 'list'>): RequestHandler {
  return async (request, response) => {
    const state = parseChoice(request, 'state', STATES, 'ERR_INVALID_REQUEST');
    response.json({ status: 'success', jobs: await jobs.list(state, parsePageLimit(request)) });
  };
}

/** `POST /admin/jobs/:id/retry`: lets a failed job run again. The body of the request is ignored. */
export function retryJobRoute(options: {
  readonly jobs: Pick<JobQueue, 'retry'>;
  readonly audit: AuditLog;
}): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { id } = request.params;
    const outcome = await options.jobs.retry(id);
    if (outcome === 'unknown') {
      throw new RuleError('ERR_JOB_NOT_FOUND', 'This job does not exist, or it finished long ago.', 404);
    }
    if (outcome === 'not_failed') throw new RuleError('ERR_JOB_NOT_FAILED', 'Only a failed job can be retried.', 409);
    const operator = getCallerKey(request);
    await options.audit.record({ operator, action: 'retry job', subject: id, details: {} });
    response.json({ status: 'success', jobId: id });
  };
}
