import { createPushOutboxWriter, type PushOutboxWriter } from '@messagebox/messages';
import { PUSH_MAX_AGE_MS, type ServiceContext, startOutboxPruning } from '@messagebox/shared';
import { DeviceRegistrations, PushOutbox } from '@messagebox/store';
import { adoptPushJobs } from './adopt-push-jobs.js';
import { Fcm, type FcmOptions } from './fcm.js';
import { createPushHandler } from './push-handler.js';
import { PushWorker, type PushWorkerSettings } from './push-worker.js';
import { readFirebaseProject } from './service-account.js';

/** The pushes of a process that sends them. */
export interface PushService {
  /** For the send rule in this process. */
  readonly outboxWriter: PushOutboxWriter;
  /** Says that another process has written to the outbox. */
  notify(): void;
}

/** Tests override these. */
export interface PushOptions extends Partial<PushWorkerSettings> {
  readonly fcm?: FcmOptions;
  readonly maxAgeMs?: number;
}

const POLL_INTERVAL_MS = 5_000;
const LEASE_MS = 120_000;

/**
 * Starts pushing what is in the outbox. Ends with the foundation's `shutdown`.
 *
 * @returns undefined without ENABLE_FIREBASE=true
 * @throws {ConfigError} when the project or the service account is missing or can't be used
 */
export async function startPush(
  foundation: ServiceContext,
  { fcm, maxAgeMs = PUSH_MAX_AGE_MS, ...settings }: PushOptions = {},
): Promise<PushService | undefined> {
  const { config, sql, metrics, tracer, log, shutdown } = foundation;
  if (config.push === undefined) return undefined;
  const sender = new Fcm(await readFirebaseProject(config.push), fcm);
  const devices = new DeviceRegistrations(sql, { maxDevices: config.limits.devices });
  const outbox = new PushOutbox(sql, devices);
  const notify = () => worker.notify();
  // First, because both queues have one name in the metrics, and the worker's numbers must be the ones that are shown.
  const adopted = adoptPushJobs(foundation, outbox, notify);
  const worker = new PushWorker(
    {
      outbox,
      handle: createPushHandler({ devices, sender, boxes: config.pushBoxes, metrics, log, maxAgeMs }),
      getPauseMs: () => sender.getPauseMs(),
      metrics,
      tracer,
      log,
    },
    { intervalMs: POLL_INTERVAL_MS, leaseMs: LEASE_MS, ...settings },
  );
  shutdown.add('outbox', startOutboxPruning({ outbox, metrics, log }));
  shutdown.add('push', async () => {
    await adopted?.close();
    await worker.close();
  });
  const outboxWriter = createPushOutboxWriter(outbox, notify, {
    boxes: config.pushBoxes,
    getTraceparent: () => tracer.current.context?.traceparent,
  });
  return { outboxWriter, notify };
}
