import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.js';
import { jsonOf } from './check-job.js';
import { PermanentJobError, PostponeJobError } from './job-errors.js';
import { type JobPolicy, retryDelay, wholeDelay } from './job-policy.js';
import type { JobHandlers, JsonValue, RunningJob } from './job-queue.js';

/** How an attempt has ended, and so what becomes of the job. */
export type AttemptEnd =
  | { readonly outcome: 'completed'; readonly result: JsonValue | undefined }
  | { readonly outcome: 'retried'; readonly reason: string; readonly delayMs: number }
  | { readonly outcome: 'failed'; readonly reason: string }
  /** Not an attempt. */
  | { readonly outcome: 'postponed'; readonly reason: string; readonly delayMs: number }
  | { readonly outcome: 'handed_back' };

export interface RunParts {
  readonly queue: string;
  readonly handlers: JobHandlers;
  readonly policy: JobPolicy;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** See `WorkOptions`. */
  readonly ended?: ((id: string) => void) | undefined;
}

const LONGEST_REASON = 500;

/** Runs one attempt, and counts, times and logs it. Never throws. */
export async function runJob(parts: RunParts, job: RunningJob): Promise<AttemptEnd> {
  const { queue, metrics } = parts;
  const handler = Object.hasOwn(parts.handlers, job.name) ? parts.handlers[job.name] : undefined;
  // Names of jobs that nobody handles come from elsewhere, so they are no labels.
  const labels = { queue, name: handler === undefined ? 'other' : job.name };
  const endTimer = metrics.jobDuration.startTimer(labels);
  const end =
    handler === undefined
      ? { outcome: 'failed' as const, reason: `nobody handles jobs named ${job.name}` }
      : await attempt(parts, job, handler);
  endTimer();
  endJob(parts, job, end, labels.name);
  return end;
}

/** Counts, logs and tells how an attempt has ended. */
export function endJob(parts: RunParts, job: RunningJob, end: AttemptEnd, name = job.name): void {
  const { queue, metrics, log } = parts;
  metrics.jobs.inc({ queue, name, outcome: end.outcome });
  const about = { queue, job: job.name, id: job.id, attempt: job.attempt };
  if (end.outcome === 'failed') log.error({ ...about, reason: end.reason }, 'job failed');
  else if (end.outcome === 'retried') {
    log.warn({ ...about, reason: end.reason, delayMs: end.delayMs }, 'job failed, to be tried again');
  } else log.debug({ ...about, outcome: end.outcome }, 'job ended');
  if (end.outcome === 'completed' || end.outcome === 'failed') parts.ended?.(job.id);
}

async function attempt(parts: RunParts, job: RunningJob, handler: JobHandlers[string]): Promise<AttemptEnd> {
  try {
    const result = await handler(job);
    if (result !== undefined && jsonOf(result) === undefined) throw new PermanentJobError('its result is not JSON');
    return { outcome: 'completed', result };
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_REASON);
    if (error instanceof PermanentJobError) return { outcome: 'failed', reason };
    if (job.signal.aborted) return { outcome: 'handed_back' };
    if (error instanceof PostponeJobError) {
      return { outcome: 'postponed', reason, delayMs: wholeDelay(error.afterMs) };
    }
    if (job.lastAttempt) return { outcome: 'failed', reason };
    return { outcome: 'retried', reason, delayMs: retryDelay(parts.policy, job.attempt, error) };
  }
}
