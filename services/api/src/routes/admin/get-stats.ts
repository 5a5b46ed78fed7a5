import { type InstanceStore, type JobQueue, type StatsHistory, summariseInstances } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import type { UsageSurveys } from './usage-surveys.js';

export interface GetStatsOptions {
  readonly instances: InstanceStore;
  readonly history: StatsHistory;
  readonly jobs: Pick<JobQueue, 'counts'>;
  readonly surveys: UsageSurveys;
}

/**
 * `GET /admin/stats`: all instances together. What can't be read now (Redis or the database does not answer, or the first
 * survey of the database still runs) is null or empty, so that an operator sees the rest of an outage.
 */
export function getStatsRoute({ instances, history, jobs, surveys }: GetStatsOptions): RequestHandler {
  return async (_request, response) => {
    const [snapshots, entries, queue, survey] = await Promise.all([
      instances.list().catch(() => []),
      history.list().catch(() => []),
      jobs.counts().catch(() => null),
      surveys.read().catch(() => undefined),
    ]);
    response.json({
      status: 'success',
      time: new Date().toISOString(),
      uptimeSeconds: Math.round(process.uptime()),
      ...summariseInstances(snapshots),
      queue,
      storage:
        survey === undefined
          ? null
          : {
              ...survey.total,
              identities: survey.identities,
              databaseBytes: survey.databaseBytes ?? null,
              countedAt: survey.takenAt.toISOString(),
            },
      history: entries,
    });
  };
}
