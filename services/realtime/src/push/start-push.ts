import { createPushOutboxWriter, type PushOutboxWriter } from '@messagebox/messages';
import {
  type Config,
  ConfigError,
  getVapidSubject,
  PUSH_MAX_AGE_MS,
  PublicFetch,
  type ServiceContext,
  type ShutdownHooks,
  startOutboxPruning,
} from '@messagebox/shared';
import { DeviceRegistrations, PushOutbox } from '@messagebox/store';
import { adoptPushJobs } from './adopt-push-jobs.js';
import { Fcm, type FcmOptions } from './fcm.js';
import { createPushHandler } from './push-handler.js';
import { PushWorker, type PushWorkerSettings } from './push-worker.js';
import { readFirebaseProject } from './service-account.js';
import { WebPush } from './web-push/web-push.js';

/** The pushes of a process that sends them. */
export interface PushService {
  /** For the send rule in this process. */
  readonly outboxWriter: PushOutboxWriter;
  /** Says that another process has written to the outbox. */
  notify(): void;
}

/** Tests override these. */
export interface WebPushOptions {
  /** Certificate authority of the push services, in PEM. Default: those of Node.js. */
  readonly certificateAuthority?: string | undefined;
}

/** Tests override these. */
export interface PushOptions extends Partial<PushWorkerSettings> {
  readonly fcm?: FcmOptions;
  readonly webPush?: WebPushOptions;
  readonly maxAgeMs?: number;
}

const POLL_INTERVAL_MS = 5_000;
const LEASE_MS = 120_000;

/**
 * Starts pushing what is in the outbox. Ends with the foundation's `shutdown`.
 *
 * @returns undefined with neither ENABLE_FIREBASE=true nor VAPID keys
 * @throws {ConfigError} when the project, the service account or the private key of VAPID is missing or can't be used
 */
export async function startPush(
  foundation: ServiceContext,
  { fcm, webPush, maxAgeMs = PUSH_MAX_AGE_MS, ...settings }: PushOptions = {},
): Promise<PushService | undefined> {
  const { config, sql, metrics, tracer, log, shutdown } = foundation;
  const senders = {
    fcm: config.push && new Fcm(await readFirebaseProject(config.push), fcm),
    web: openWebPush(config, shutdown, webPush),
  };
  const all = [senders.fcm, senders.web].filter((sender) => sender !== undefined);
  if (all.length === 0) return undefined;
  const devices = new DeviceRegistrations(sql, { maxDevices: config.limits.devices });
  const outbox = new PushOutbox(sql, devices);
  const notify = () => worker.notify();
  // First, because both queues have one name in the metrics, and the worker's numbers must be the ones that are shown.
  const adopted = adoptPushJobs(foundation, outbox, notify);
  const worker = new PushWorker(
    {
      outbox,
      handle: createPushHandler({ devices, senders, boxes: config.pushBoxes, metrics, log, maxAgeMs }),
      // While one service pauses, pushes through the other go on.
      getPauseMs: () => Math.min(...all.map((sender) => sender.getPauseMs())),
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

/** @throws {ConfigError} when the private key is missing */
function openWebPush(
  config: Config,
  shutdown: ShutdownHooks,
  { certificateAuthority }: WebPushOptions = {},
): WebPush | undefined {
  if (config.webPush === undefined) return undefined;
  const { publicKey, privateKey } = config.webPush;
  if (privateKey === undefined) {
    throw new ConfigError(['VAPID_PRIVATE_KEY is missing: VAPID_PUBLIC_KEY is set, and this service pushes']);
  }
  const fetch = new PublicFetch(config.network, { certificateAuthority });
  shutdown.add('web push', () => fetch.close());
  return new WebPush({ publicKey, privateKey, subject: getVapidSubject(config) }, fetch);
}
