export { CredentialsError } from './access-tokens.js';
export { Fcm, type FcmOptions } from './fcm.js';
export { createPushHandler, type PushHandler, type PushHandlerOptions, pushPolicy } from './push-handler.js';
export type { Push, PushOutcome, PushSender } from './push-outcome.js';
export { PushWorker, type PushWorkerOptions, type PushWorkerSettings } from './push-worker.js';
export { readFirebaseProject, type ServiceAccount } from './service-account.js';
export { type PushOptions, type PushService, startPush } from './start-push.js';
