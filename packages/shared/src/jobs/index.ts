export { InProcessJobs, type InProcessParts } from './in-process-jobs.js';
export * from './job-errors.js';
export { defaultJobPolicy, type JobPolicy, type Retention, retryDelay } from './job-policy.js';
export * from './job-queue.js';
export { type JobsParts, openJobs } from './open-jobs.js';
export { type OverlayJobName, openOverlayJobs, overlayJob } from './overlay-jobs.js';
export type { RedisJobTimes } from './redis-job-worker.js';
export { RedisJobs, type RedisJobsParts } from './redis-jobs.js';
