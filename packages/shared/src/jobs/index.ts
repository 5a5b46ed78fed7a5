export { InProcessJobs, type InProcessParts } from './in-process-jobs.js';
export * from './job-errors.js';
export { defaultJobPolicy, type JobPolicy, type Retention, retryDelay } from './job-policy.js';
export * from './job-queue.js';
export { type JobsParts, openJobs } from './open-jobs.js';
export { type OverlayJobName, openOverlayJobs, overlayJob } from './overlay-jobs.js';
export { RedisJobs, type RedisJobsParts, type RedisJobTimes } from './redis-jobs.js';
