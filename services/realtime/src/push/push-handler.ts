import { DEFAULT_PUSH_TITLE, NOTIFICATIONS_BOX, type PushBox } from '@messagebox/messages';
import {
  defaultJobPolicy,
  type JobPolicy,
  type Logger,
  type Metrics,
  PermanentJobError,
  PostponeJobError,
  RetryJobError,
  type RunningJob,
} from '@messagebox/shared';
import type { Device, DeviceRegistrations, PushDelivery } from '@messagebox/store';
import type { PushOutcome, PushSender } from './push-outcome.js';

/** Twelve attempts fail within 9 to 19 minutes, or later where FCM says when to come back. */
export const pushPolicy: JobPolicy = { ...defaultJobPolicy, attempts: 12, backoffMs: 1_000, maxBackoffMs: 300_000 };

/** A burst of pushes to one device is recorded as few uses. */
const USE_RECORD_INTERVAL_MS = 10_000;

/**
 * Makes one attempt.
 *
 * @throws {PermanentJobError} it failed for good; {RetryJobError} try again; {PostponeJobError} it was not tried
 */
export type PushHandler = (
  delivery: PushDelivery,
  attempt: Pick<RunningJob, 'signal' | 'lastAttempt'>,
) => Promise<undefined>;

export interface PushHandlerOptions {
  readonly devices: Pick<DeviceRegistrations, 'find' | 'markUsed' | 'deactivateToken'>;
  readonly senders: PushSenders;
  /** What the notifications of each box show. */
  readonly boxes: readonly PushBox[];
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Pushes of older messages end as expired, as those of messages that have expired. */
  readonly maxAgeMs: number;
}

/** Who pushes to the devices of a kind. Undefined: nobody here, and their pushes are dropped. */
export interface PushSenders {
  readonly fcm: PushSender | undefined;
  readonly web: PushSender | undefined;
}

/** Pushes, and records what the outcome says about the device. */
export function createPushHandler(options: PushHandlerOptions): PushHandler {
  const { devices, senders, metrics, log, maxAgeMs } = options;
  const boxes: ReadonlyMap<string, PushBox> = new Map(options.boxes.map((box) => [box.messageBox, box]));
  const logOutage = createOutageLogger(log);
  const recordUse = async ({ id, lastUsed }: Device) => {
    if (lastUsed !== undefined && Date.now() - lastUsed.getTime() < USE_RECORD_INTERVAL_MS) return;
    // The push is on its way. A retry because of this failure would push twice.
    await devices
      .markUsed(id)
      .catch((error: unknown) => log.warn({ err: error }, 'could not record the use of a device'));
  };
  return async (delivery, attempt) => {
    const { device: id, recipient, messageId, sender: originator, createdAt, expiresAt, hasExpired } = delivery;
    if (hasExpired || Date.now() - createdAt > maxAgeMs) {
      metrics.pushes.inc({ outcome: 'expired' });
      return undefined;
    }
    const device = await devices.find(id);
    // Meanwhile the device may have been removed. An older version may have given it to another identity, which must not hear
    // of the message.
    if (device === undefined || !device.active || device.identityKey !== recipient) {
      metrics.pushes.inc({ outcome: 'skipped' });
      return undefined;
    }
    const { fcmToken: token, webPushKeys } = device;
    const isWebPush = webPushKeys !== undefined;
    const sender = isWebPush ? senders.web : senders.fcm;
    if (sender === undefined) {
      metrics.pushes.inc({ outcome: 'skipped' });
      return undefined;
    }
    const messageBox = delivery.messageBox ?? NOTIFICATIONS_BOX;
    // Services with other settings, or older ones, may push from other boxes.
    const { title = DEFAULT_PUSH_TITLE, text = messageId } = boxes.get(messageBox) ?? {};
    const about = { title, text, messageId, messageBox, recipient, originator, createdAt, expiresAt };
    const outcome = toFinalOutcome(await sender.send({ token, webPushKeys, ...about }, attempt.signal), attempt);
    if (!isWebPush) logOutage(outcome);
    if (outcome.kind === 'deferred') {
      throw new PostponeJobError('the push service wants no push now', { afterMs: addJitter(outcome.afterMs) });
    }
    const isRetried = outcome.kind === 'later' || outcome.kind === 'credentials';
    metrics.pushes.inc({ outcome: isRetried ? 'retried' : outcome.kind });
    switch (outcome.kind) {
      case 'sent':
        await recordUse(device);
        return undefined;
      case 'dead_token':
        await devices.deactivateToken(device);
        log.info({ device: id, reason: outcome.reason }, 'a device can no longer be reached');
        return undefined;
      case 'refused':
        if (outcome.fault === 'server') throw new PermanentJobError(outcome.reason);
        // Its owner is at fault. A failed job would call for an operator.
        log.info({ device: id, reason: outcome.reason }, 'a push was refused');
        return undefined;
      default:
        throw new RetryJobError(outcome.reason, { afterMs: addJitter(outcome.afterMs) });
    }
  };
}

/** A device that still can't be pushed to at the last attempt, through no fault of this server, is refused. */
function toFinalOutcome(outcome: PushOutcome, { lastAttempt }: Pick<RunningJob, 'lastAttempt'>): PushOutcome {
  if (!lastAttempt || outcome.kind !== 'later' || outcome.fault !== 'device') return outcome;
  return { kind: 'refused', fault: outcome.fault, reason: outcome.reason };
}

/** Adds up to half at random, so that pushes which waited for one moment are not all sent in it. */
function addJitter(ms: number): number {
  return ms * (1 + Math.random() / 2);
}

/** Logs what stops all pushes through FCM, in one line until a push succeeds. */
function createOutageLogger(log: Logger): (outcome: PushOutcome) => void {
  let logged: PushOutcome['kind'] | undefined;
  return (outcome) => {
    if (outcome.kind === 'sent') logged = undefined;
    if (outcome.kind === logged) return;
    if (outcome.kind === 'deferred') {
      logged = outcome.kind;
      log.warn({ forMs: outcome.afterMs }, 'FCM has asked for a pause: pushes wait');
    }
    if (outcome.kind === 'credentials') {
      logged = outcome.kind;
      log.error(
        { reason: outcome.reason },
        'Google does not accept the service account: pushes fail until FIREBASE_SERVICE_ACCOUNT_* and FIREBASE_PROJECT_ID are right',
      );
    }
  };
}
