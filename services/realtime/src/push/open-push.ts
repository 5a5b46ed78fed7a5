import {
  DeviceRegistrations,
  type Foundation,
  openJobs,
  type PushNotes,
  PushOutbox,
  pushNotes,
} from '@messagebox/shared';
import { Fcm, type FcmOptions } from './fcm.js';
import { type DrainSettings, OutboxDrain } from './outbox-drain.js';
import { handlePush, PUSH_JOB, PUSH_QUEUE, pushJobPolicy } from './push-jobs.js';
import { readFirebaseProject } from './service-account.js';

/** Pushing to devices, in a process that does it. */
export interface PushService {
  /** For the send rule in this process. */
  readonly notes: PushNotes;
  /** Another process has left something in the outbox. */
  wake(): void;
}

/** Other than usual, for tests. */
export interface PushOptions extends Partial<DrainSettings> {
  readonly fcm?: FcmOptions;
}

/** Pushes under way at once. */
const CONCURRENCY = 16;
const LOOK_EVERY_MS = 5_000;
const LEASE_MS = 120_000;
const MAX_AGE_MS = 86_400_000;
/** In Redis jobs outlive the process; in process they don't, so most of what waits is left in the outbox. */
const MOST_JOBS = { redis: 10_000, inProcess: 200 };
/** Nobody else takes rows there, so ended jobs need not be known again. */
const FEW = { count: 100, ageMs: 3_600_000 };
const inProcessPolicy = { ...pushJobPolicy, keepCompleted: FEW, keepFailed: FEW };
/** How long a process that ends waits for pushes that would be lost with it. */
const LAST_PUSHES_MS = 3_000;
const LAST_PUSHES_LOOK_MS = 25;

/**
 * Starts pushing: takes rows out of the outbox, makes a job for each device, and works the jobs. Ends with the
 * foundation's `closing`.
 *
 * @returns undefined without ENABLE_FIREBASE=true
 * @throws {ConfigError} when the project or the service account is missing or can't be used
 */
export async function openPush(
  foundation: Foundation,
  { fcm, ...settings }: PushOptions = {},
): Promise<PushService | undefined> {
  const { config, sql, metrics, log, closing } = foundation;
  if (config.push === undefined) return undefined;
  const project = await readFirebaseProject(config.push);
  const outbox = new PushOutbox(sql);
  const devices = new DeviceRegistrations(sql);
  const isInProcess = foundation.redis === undefined;
  const queue = openJobs(PUSH_QUEUE, foundation, isInProcess ? inProcessPolicy : pushJobPolicy);
  const drain = new OutboxDrain(
    { outbox, devices, queue, metrics, log },
    {
      everyMs: LOOK_EVERY_MS,
      mostJobs: isInProcess ? MOST_JOBS.inProcess : MOST_JOBS.redis,
      leaseMs: LEASE_MS,
      maxAgeMs: MAX_AGE_MS,
      ...settings,
    },
  );
  const { maxAgeMs = MAX_AGE_MS } = settings;
  const handle = handlePush({ devices, sender: new Fcm(project, fcm), metrics, log, maxAgeMs });
  queue.work(
    { [PUSH_JOB]: (job) => handle(job).finally(() => drain.jobEnded()) },
    { concurrency: CONCURRENCY, closeMs: LAST_PUSHES_MS },
  );
  closing.add('push', async () => {
    await drain.close();
    const deadline = Date.now() + LAST_PUSHES_MS;
    while (isInProcess && Date.now() < deadline) {
      const { waiting, active } = await queue.counts();
      if (waiting + active === 0) break;
      await new Promise((resolve) => setTimeout(resolve, LAST_PUSHES_LOOK_MS));
    }
    await queue.close();
  });
  const wake = () => drain.wake();
  return { notes: pushNotes(outbox, wake), wake };
}
