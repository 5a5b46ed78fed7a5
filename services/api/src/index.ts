export { type ApiParts, createApi } from './app.js';
export { purgeExpiredRegularly } from './purge-expired.js';
export { start } from './start.js';
