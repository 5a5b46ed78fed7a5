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
  RetryJobError,
} from '@messagebox/shared';
import type { PushSender } from './fcm.js';

export const PUSH_QUEUE = 'push';
export const PUSH_JOB = 'push';

/** A push that has failed for half an hour is given up. Ended jobs are kept so that none is made twice. */
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

/**
 * The job that tells one device of one message. Its id comes from both, so that adding it a second time changes nothing.
 * The token stays in the database.
 */
export function pushJob(row: OutboxRow, device: number): NewJob {
  const { recipient, messageId, sender } = row;
  return {
    name: PUSH_JOB,
    data: { device, recipient, messageId, originator: sender },
    // The time tells rows apart that have one number, in a database that was restored from a backup.
    options: { id: `${row.id}-${row.createdAt}-${device}` },
  };
}

export interface PushJobParts {
  readonly devices: DeviceRegistrations;
  readonly sender: PushSender;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Handles {@link pushJob}: pushes, and notes what that says about the device. */
export function handlePush({ devices, sender, metrics, log }: PushJobParts): JobHandler {
  let credentialsRefused = false;
  const noteUse = async ({ id, lastUsed }: Device) => {
    if (lastUsed !== undefined && Date.now() - lastUsed.getTime() < USE_NOTED_EVERY_MS) return;
    // The push is on its way: trying again because this could not be noted would push twice.
    await devices.used(id).catch((error: unknown) => log.warn({ err: error }, 'could not note the use of a device'));
  };
  return async (job) => {
    const { device: id, recipient, messageId, originator } = job.data;
    if (typeof id !== 'number' || typeof messageId !== 'string' || typeof originator !== 'string') {
      throw new PermanentJobError('this is not a push');
    }
    const device = await devices.find(id);
    // Since then it may have gone, died, or become somebody else's, who must not hear of it.
    if (device === undefined || !device.active || device.identityKey !== recipient) {
      metrics.pushes.inc({ outcome: 'skipped' });
      return undefined;
    }
    const outcome = await sender.send({ token: device.fcmToken, messageId, originator }, job.signal);
    metrics.pushes.inc({
      outcome: outcome.kind === 'later' || outcome.kind === 'credentials' ? 'retried' : outcome.kind,
    });
    if (outcome.kind === 'credentials' && !credentialsRefused) {
      log.error(
        { reason: outcome.reason },
        'Google does not accept the service account: pushes fail until FIREBASE_SERVICE_ACCOUNT_* and FIREBASE_PROJECT_ID are right',
      );
    }
    credentialsRefused = outcome.kind === 'credentials' || (credentialsRefused && outcome.kind === 'later');
    switch (outcome.kind) {
      case 'sent':
        await noteUse(device);
        return undefined;
      case 'dead_token':
        await devices.deactivate(id);
        log.info({ device: id, reason: outcome.reason }, 'a device can no longer be reached');
        return undefined;
      case 'refused':
        throw new PermanentJobError(outcome.reason);
      default:
        throw new RetryJobError(outcome.reason, { afterMs: outcome.afterMs });
    }
  };
}
