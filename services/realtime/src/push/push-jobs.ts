import {
  type Device,
  type DeviceRegistrations,
  defaultJobPolicy,
  type JobHandler,
  type JobPolicy,
  type Logger,
  type Metrics,
  type NewJob,
  type OutboxRow,
  PermanentJobError,
  PostponeJobError,
  RetryJobError,
  type RunningJob,
} from '@messagebox/shared';
import type { PushOutcome, PushSender } from './push-outcome.js';

export const PUSH_QUEUE = 'push';
export const PUSH_JOB = 'push';

/**
 * Twelve tries fail within 9 to 19 minutes, later only where FCM says when to come back. Ended jobs are kept so that none
 * is made twice.
 */
export const pushJobPolicy: JobPolicy = {
  ...defaultJobPolicy,
  attempts: 12,
  backoffMs: 1_000,
  maxBackoffMs: 300_000,
  keepCompleted: { count: 10_000, ageMs: 3_600_000 },
  keepFailed: { count: 10_000, ageMs: 86_400_000 },
};

/** A burst of pushes to one device is noted as few uses. */
const USE_NOTED_EVERY_MS = 10_000;

export type PushJob = NewJob & { readonly options: { readonly id: string } };

/**
 * The job that tells one device of one message. Its id comes from both, so that adding it a second time changes nothing.
 * The token stays in the database.
 */
export function pushJob(row: OutboxRow, device: number): PushJob {
  const { recipient, messageId, sender, createdAt } = row;
  return {
    name: PUSH_JOB,
    data: { device, recipient, messageId, originator: sender, createdAt },
    // The time tells rows apart that have one number, in a database that was restored from a backup.
    options: { id: `${row.id}-${row.createdAt}-${device}` },
  };
}

export interface PushJobParts {
  readonly devices: Pick<DeviceRegistrations, 'find' | 'used' | 'deactivate'>;
  readonly sender: PushSender;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Pushes of older messages end as expired. */
  readonly maxAgeMs: number;
}

/** Handles {@link pushJob}: pushes, and notes what that says about the device. */
export function handlePush({ devices, sender, metrics, log, maxAgeMs }: PushJobParts): JobHandler {
  const tell = troubleTeller(log);
  const noteUse = async ({ id, lastUsed }: Device) => {
    if (lastUsed !== undefined && Date.now() - lastUsed.getTime() < USE_NOTED_EVERY_MS) return;
    // The push is on its way: trying again because this could not be noted would push twice.
    await devices.used(id).catch((error: unknown) => log.warn({ err: error }, 'could not note the use of a device'));
  };
  return async (job) => {
    const { device: id, recipient, messageId, originator, createdAt } = job.data;
    if (typeof id !== 'number' || typeof messageId !== 'string' || typeof originator !== 'string') {
      throw new PermanentJobError('this is not a push');
    }
    if (Date.now() - Number(createdAt) > maxAgeMs) {
      metrics.pushes.inc({ outcome: 'expired' });
      return undefined;
    }
    const device = await devices.find(id);
    // Since then it may have gone, died, or become somebody else's, who must not hear of it.
    if (device === undefined || !device.active || device.identityKey !== recipient) {
      metrics.pushes.inc({ outcome: 'skipped' });
      return undefined;
    }
    const outcome = settled(await sender.send({ token: device.fcmToken, messageId, originator }, job.signal), job);
    tell(outcome);
    if (outcome.kind === 'held') {
      throw new PostponeJobError('FCM has asked for a pause', { afterMs: spread(outcome.afterMs) });
    }
    const isRetried = outcome.kind === 'later' || outcome.kind === 'credentials';
    metrics.pushes.inc({ outcome: isRetried ? 'retried' : outcome.kind });
    switch (outcome.kind) {
      case 'sent':
        await noteUse(device);
        return undefined;
      case 'dead_token':
        await devices.deactivate(id);
        log.info({ device: id, reason: outcome.reason }, 'a device can no longer be reached');
        return undefined;
      case 'refused':
        if (outcome.fault === 'server') throw new PermanentJobError(outcome.reason);
        // Its owner is at fault: no failed job, which would call for a person.
        log.info({ device: id, reason: outcome.reason }, 'a push was refused');
        return undefined;
      default:
        throw new RetryJobError(outcome.reason, { afterMs: spread(outcome.afterMs) });
    }
  };
}

/** A device that FCM still throttles at the last attempt is refused. */
function settled(outcome: PushOutcome, { lastAttempt }: Pick<RunningJob, 'lastAttempt'>): PushOutcome {
  if (!lastAttempt || outcome.kind !== 'later' || outcome.fault !== 'device') return outcome;
  return { kind: 'refused', fault: outcome.fault, reason: outcome.reason };
}

/** Somewhat longer, at random: what waited for one moment does not come back in one. */
function spread(ms: number): number {
  return ms * (1 + Math.random() / 2);
}

/** Logs what stops all pushes: one line until one goes through. */
function troubleTeller(log: Logger): (outcome: PushOutcome) => void {
  let told: PushOutcome['kind'] | undefined;
  return (outcome) => {
    if (outcome.kind === 'sent') told = undefined;
    if (outcome.kind === told) return;
    if (outcome.kind === 'held') {
      told = outcome.kind;
      log.warn({ forMs: outcome.afterMs }, 'FCM has asked for a pause: pushes wait');
    }
    if (outcome.kind === 'credentials') {
      told = outcome.kind;
      log.error(
        { reason: outcome.reason },
        'Google does not accept the service account: pushes fail until FIREBASE_SERVICE_ACCOUNT_* and FIREBASE_PROJECT_ID are right',
      );
    }
  };
}
