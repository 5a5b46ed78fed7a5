export { CredentialsError } from './access-tokens.js';
export { Fcm, type Push, type PushOutcome, type PushSender } from './fcm.js';
export { openPush, type PushOptions, type PushService } from './open-push.js';
export { type DrainParts, type DrainSettings, OutboxDrain } from './outbox-drain.js';
export { handlePush, PUSH_JOB, PUSH_QUEUE, pushJob, pushJobPolicy } from './push-jobs.js';
export { readFirebaseProject, type ServiceAccount } from './service-account.js';
