export { createKnex } from './create-knex.js';
export { Exclusive, LockedError } from './exclusive.js';
export * from './message-store.js';
export { type OpenDatabase, openDatabase, openStore } from './open-store.js';
export { retryContention } from './retry-contention.js';
export * from './sql-client.js';
export type { MysqlConfig, SqliteConfig, StoreConfig, StoreLimits, StoreLog } from './store-config.js';
export * from './store-errors.js';
export { translateError } from './translate-error.js';
