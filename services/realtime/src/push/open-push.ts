import {
  DeviceRegistrations,
  type Foundation,
  openJobs,
  PUSH_MAX_AGE_MS,
  type PushNotes,
  PushOutbox,
  pushNotes,
  tendOutbox,
} from '@messagebox/shared';
import { Fcm, type FcmOptions } from './fcm.js';
import { type DrainSettings, OutboxDrain } from './outbox-drain.js';
import { handlePush, PUSH_JOB, PUSH_QUEUE, pushJobPolicy } from './push-jobs.js';
import { RowsInHand } from './rows-in-hand.js';
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
  readonly maxAgeMs?: number;
}

/** Pushes under way at once. */
const CONCURRENCY = 16;
const LOOK_EVERY_MS = 5_000;
const LEASE_MS = 120_000;
/** In process they are the memory of one process, and what it stops with is pushed again. */
const MOST_JOBS = { redis: 10_000, inProcess: 200 };

/**
 * Starts pushing: takes rows out of the outbox, makes a job for each device, and works the jobs. Ends with the
 * foundation's `closing`.
 *
 * @returns undefined without ENABLE_FIREBASE=true
 * @throws {ConfigError} when the project or the service account is missing or can't be used
 */
export async function openPush(
  foundation: Foundation,
  { fcm, maxAgeMs = PUSH_MAX_AGE_MS, ...settings }: PushOptions = {},
): Promise<PushService | undefined> {
  const { config, sql, metrics, log, closing } = foundation;
  if (config.push === undefined) return undefined;
  const project = await readFirebaseProject(config.push);
  const outbox = new PushOutbox(sql);
  const devices = new DeviceRegistrations(sql, { most: config.limits.devices });
  const { leaseMs = LEASE_MS } = settings;
  const inHand = foundation.redis === undefined ? new RowsInHand(outbox, leaseMs) : undefined;
  const queue = openJobs(PUSH_QUEUE, foundation, pushJobPolicy);
  const drain = new OutboxDrain(
    { outbox, devices, queue, inHand, log },
    {
      everyMs: LOOK_EVERY_MS,
      mostJobs: inHand === undefined ? MOST_JOBS.redis : MOST_JOBS.inProcess,
      leaseMs,
      ...settings,
    },
  );
  const handle = handlePush({ devices, sender: new Fcm(project, fcm), metrics, log, maxAgeMs });
  queue.work({ [PUSH_JOB]: handle }, { concurrency: CONCURRENCY, ended: (id) => drain.jobEnded(id) });
  closing.add('outbox', tendOutbox({ outbox, metrics, log }));
  closing.add('push', async () => {
    await drain.close();
    await queue.close();
    await inHand?.giveBack();
  });
  const wake = () => drain.wake();
  return { notes: pushNotes(outbox, wake), wake };
}
