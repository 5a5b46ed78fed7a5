export { AccessTokens, CredentialsError } from './push/access-tokens.js';
export { type PushOptions, startPush } from './push/index.js';
export { readFirebaseProject } from './push/service-account.js';
export { Realtime } from './realtime.js';
