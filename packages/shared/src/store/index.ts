export * from './message-store.js';
export { openStore } from './open-store.js';
export type { MysqlConfig, SqliteConfig, StoreConfig, StoreLimits, StoreLog } from './store-config.js';
export * from './store-errors.js';
