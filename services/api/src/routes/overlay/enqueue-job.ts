import type { JobQueue, OverlayJobName } from '@messagebox/shared';
import type { AuditLog } from '@messagebox/store';
import type { RequestHandler } from 'express';
import { getCallerKey } from '../../http/get-caller-key.js';

/** `POST /overlay/…`: adds a job and answers 202 with its id. The body of the request is ignored. */
export function enqueueJobRoute(
  { jobs, audit }: { readonly jobs: JobQueue; readonly audit: AuditLog },
  name: OverlayJobName,
): RequestHandler {
  return async (request, response) => {
    // The job belongs to the trace of the request.
    const jobId = await jobs.add(name, { ...request.span?.context });
    await audit.record({ operator: getCallerKey(request), action: `overlay ${name}`, subject: jobId, details: {} });
    response.status(202).json({ status: 'success', jobId });
  };
}
