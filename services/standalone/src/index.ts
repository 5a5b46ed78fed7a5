export { ensureServerKey, refuseNewKeyInProduction } from './server-key.js';
export { openDataDir, start, startStandalone } from './start.js';
export { ensureVapidKeys } from './vapid-keys.js';
