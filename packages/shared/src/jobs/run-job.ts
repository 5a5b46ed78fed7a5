import type { Logger } from 'pino';
import { errorMessage } from '../logging/error-message.js';
import type { Metrics } from '../metrics/metrics.js';
import { readTraceContext } from '../tracing/trace-context.js';
import { NO_TRACER, type Tracer } from '../tracing/tracer.js';
import { toJsonText } from './check-job.js';
import { PermanentJobError, PostponeJobError } from './job-errors.js';
import { computeRetryDelay, type JobPolicy, toWholeDelay } from './job-policy.js';
import type { JobHandlers, JsonValue, RunningJob } from './job-queue.js';

/** How an attempt has ended, which decides what happens to the job. */
export type AttemptResult =
  | { readonly outcome: 'completed'; readonly result: JsonValue | undefined }
  | { readonly outcome: 'retried'; readonly reason: string; readonly delayMs: number }
  | { readonly outcome: 'failed'; readonly reason: string }
  /** Does not count as an attempt, like `handed_back`. */
  | { readonly outcome: 'postponed'; readonly reason: string; readonly delayMs: number }
  | { readonly outcome: 'handed_back' };

export interface RunJobOptions {
  readonly queue: string;
  readonly handlers: JobHandlers;
  readonly policy: JobPolicy;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** See `WorkOptions`. */
  readonly onEnded?: ((id: string) => void) | undefined;
}

const MAX_REASON_LENGTH = 500;

/**
 * Runs one attempt, and counts, times, traces and logs it. It belongs to the trace that `traceparent` in the job's data names.
 * Never throws.
 */
export async function runJob(options: RunJobOptions, job: RunningJob): Promise<AttemptResult> {
  const { queue, metrics } = options;
  const handler = Object.hasOwn(options.handlers, job.name) ? options.handlers[job.name] : undefined;
  // A name without a handler may be anything, so it must not become a label.
  const labels = { queue, name: handler === undefined ? 'other' : job.name };
  const endTimer = metrics.jobDuration.startTimer(labels);
  const span = (options.tracer ?? NO_TRACER).begin(`job ${queue} ${labels.name}`, {
    kind: 'consumer',
    parent: readTraceContext(job.data['traceparent'], job.data['tracestate']),
    attributes: { 'messagebox.attempt': job.attempt },
  });
  return await span.run(async () => {
    const result =
      handler === undefined
        ? { outcome: 'failed' as const, reason: `no handler for jobs named ${job.name}` }
        : await runHandler(options, job, handler);
    endTimer();
    reportAttempt(options, job, result, labels.name);
    span.set({ 'messagebox.outcome': result.outcome });
    if (result.outcome === 'failed' || result.outcome === 'retried') span.fail(result.outcome, true);
    span.end();
    return result;
  });
}

/** Counts and logs how an attempt has ended, and reports a job that is finished. */
export function reportAttempt(options: RunJobOptions, job: RunningJob, result: AttemptResult, name = job.name): void {
  const { queue, metrics, log } = options;
  metrics.jobs.inc({ queue, name, outcome: result.outcome });
  const about = { queue, job: job.name, id: job.id, attempt: job.attempt };
  if (result.outcome === 'failed') log.error({ ...about, reason: result.reason }, 'job failed');
  else if (result.outcome === 'retried') {
    log.warn({ ...about, reason: result.reason, delayMs: result.delayMs }, 'job failed and will be retried');
  } else log.debug({ ...about, outcome: result.outcome }, 'job ended');
  if (result.outcome === 'completed' || result.outcome === 'failed') options.onEnded?.(job.id);
}

async function runHandler(
  options: RunJobOptions,
  job: RunningJob,
  handler: JobHandlers[string],
): Promise<AttemptResult> {
  try {
    const result = await handler(job);
    if (result !== undefined && toJsonText(result) === undefined) throw new PermanentJobError('its result is not JSON');
    return { outcome: 'completed', result };
  } catch (error) {
    const reason = errorMessage(error).slice(0, MAX_REASON_LENGTH);
    if (error instanceof PermanentJobError) return { outcome: 'failed', reason };
    if (job.signal.aborted) return { outcome: 'handed_back' };
    if (error instanceof PostponeJobError) {
      return { outcome: 'postponed', reason, delayMs: toWholeDelay(error.afterMs) };
    }
    if (job.lastAttempt) return { outcome: 'failed', reason };
    return { outcome: 'retried', reason, delayMs: computeRetryDelay(options.policy, job.attempt, error) };
  }
}
