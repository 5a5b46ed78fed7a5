export * from './push/index.js';
export { Realtime, type RealtimeParts } from './realtime.js';
export { start } from './start.js';
