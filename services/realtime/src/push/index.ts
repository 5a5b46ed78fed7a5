export { CredentialsError } from './access-tokens.js';
export { Fcm, type FcmOptions } from './fcm.js';
export { openPush, type PushOptions, type PushService } from './open-push.js';
export { type DrainParts, type DrainSettings, OutboxDrain } from './outbox-drain.js';
export { handlePush, PUSH_JOB, PUSH_QUEUE, pushJob, pushJobPolicy } from './push-jobs.js';
export type { Push, PushOutcome, PushSender } from './push-outcome.js';
export { readFirebaseProject, type ServiceAccount } from './service-account.js';
