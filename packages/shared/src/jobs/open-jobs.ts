import type { Logger } from 'pino';
import type { Config } from '../config/index.js';
import type { Metrics } from '../metrics/metrics.js';
import type { RedisClients } from '../redis/redis-clients.js';
import { InProcessJobs } from './in-process-jobs.js';
import { defaultJobPolicy, type JobPolicy } from './job-policy.js';
import type { JobQueue } from './job-queue.js';
import type { RedisJobTimes } from './redis-job-worker.js';
import { RedisJobs } from './redis-jobs.js';

/** What a queue stands on; a `Foundation` has it. */
export interface JobsParts {
  readonly config: Pick<Config, 'redis'>;
  readonly redis: RedisClients | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** How soon a lost worker is noticed, in Redis; other than usual in tests. */
  readonly times?: RedisJobTimes | undefined;
}

/**
 * Opens a queue: in Redis where it is configured, else in this process. The one place that chooses. In process, who adds
 * and who works must have the same object, so open a queue once in a process and hand it on.
 *
 * @param name 1 to 64 letters, digits, `_`, `-` or `.`
 * @param policy the same for all who open this queue
 */
export function openJobs(name: string, parts: JobsParts, policy: JobPolicy = defaultJobPolicy): JobQueue {
  const { config, redis, log, metrics, times } = parts;
  if (config.redis === undefined || redis === undefined) return new InProcessJobs(name, { log, metrics }, policy);
  return new RedisJobs(name, { redis, prefix: config.redis.prefix, log, metrics, times }, policy);
}
