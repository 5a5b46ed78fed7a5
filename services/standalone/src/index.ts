export { ensureServerKey, refuseNewKeyInProduction } from './server-key.js';
export { openDataDir, start, startStandalone } from './start.js';
