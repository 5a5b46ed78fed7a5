export { type ApiParts, createApi } from './app.js';
export { purgeClaimsRegularly } from './purge-claims.js';
export { start } from './start.js';
