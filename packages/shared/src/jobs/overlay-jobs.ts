import { defaultJobPolicy, type JobPolicy } from './job-policy.js';
import type { JobQueue } from './job-queue.js';
import { type JobsParts, openJobs } from './open-jobs.js';

/**
 * Jobs of the overlay. None has data: what is to be advertised stands in the configuration and the database, so that one
 * that runs late or twice does what is right then.
 */
export const overlayJob = {
  /** Advertise this host, from now on. */
  advertise: 'advertise',
  /** Take all advertisements back, from now on. */
  revoke: 'revoke',
  /** Tell trackers again of transactions that were made and not accepted. */
  rebroadcast: 'rebroadcast',
  /** Compare what is advertised with what should be. */
  reconcile: 'reconcile',
  /** Ask other hosts for advertisements. */
  sync: 'sync',
  /** Ask the chain for merkle paths, and remove what has none for too long. */
  tidy: 'tidy',
} as const;

export type OverlayJobName = (typeof overlayJob)[keyof typeof overlayJob];

const QUEUE = 'overlay';

/** Trackers may be away for an hour; whoever restarts workers again and again should not lose a job by it. */
const POLICY: JobPolicy = { ...defaultJobPolicy, attempts: 20, maxStalls: 10 };

/** The queue of these jobs: api adds, the overlay's worker works. */
export function openOverlayJobs(parts: JobsParts): JobQueue {
  return openJobs(QUEUE, parts, POLICY);
}
