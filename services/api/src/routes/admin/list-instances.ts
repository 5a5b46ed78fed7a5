import { DependencyUnavailableError, type InstanceSnapshot, type InstanceStore } from '@messagebox/shared';
import type { RequestHandler } from 'express';

/** `GET /admin/instances`: the processes that run, as they described themselves within the last 15 s. */
export function listInstancesRoute(instances: InstanceStore): RequestHandler {
  return async (_request, response) => {
    response.json({ status: 'success', instances: (await readInstances(instances)).map(toResponse) });
  };
}

async function readInstances(instances: InstanceStore): Promise<InstanceSnapshot[]> {
  try {
    return await instances.list();
  } catch {
    const description = 'Redis, which knows the instances, is not available. Try again later.';
    throw new DependencyUnavailableError('ERR_INSTANCES_UNAVAILABLE', description, 1);
  }
}

/** Without what is only for the sums of `GET /admin/stats`. */
function toResponse({ rates, latencyCounts, limitsHit, ...about }: InstanceSnapshot) {
  return about;
}
