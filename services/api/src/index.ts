export { createApi } from './app.js';
export { startExpiryPurge } from './start-expiry-purge.js';
