import { type OpenJobQueueOptions, openJobQueue } from '../process/backends.js';
import { defaultJobPolicy, type JobPolicy } from './job-policy.js';
import type { JobQueue } from './job-queue.js';

/**
 * Jobs of the overlay. They have no data: the configuration and the database say what has to be advertised. So a job that
 * runs late or twice still does the right thing.
 */
export const overlayJobNames = {
  /** Start to advertise this host. */
  advertise: 'advertise',
  /** Revoke all advertisements, and advertise no more. */
  revoke: 'revoke',
  /** Submit transactions again that trackers have not accepted. */
  rebroadcast: 'rebroadcast',
  /** Compare the advertisements with those that should exist. */
  reconcile: 'reconcile',
  /** Ask other hosts for advertisements. */
  sync: 'sync',
  /** Ask the chain for merkle paths, and remove transactions that have been without one for too long. */
  prune: 'tidy',
} as const;

export type OverlayJobName = (typeof overlayJobNames)[keyof typeof overlayJobNames];

const QUEUE = 'overlay';

/** Trackers may be unavailable for an hour, and repeated restarts of workers must not fail a job. */
const POLICY: JobPolicy = { ...defaultJobPolicy, attempts: 20, maxStalls: 10 };

/** The queue of these jobs. The api service adds them and the overlay service handles them. */
export function openOverlayJobQueue(options: OpenJobQueueOptions): JobQueue {
  return openJobQueue(QUEUE, options, POLICY);
}
