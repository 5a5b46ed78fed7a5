export {
  type AdvertisedIn,
  AdvertisementRows,
  type AdvertisementStanding,
  type AdvertisementTable,
} from './advertisement-rows.js';
export { createKnex } from './create-knex.js';
export { type Device, DeviceRegistrations, MOST_DEVICES, type NewDevice } from './device-registrations.js';
export { Exclusive, type HeldLock, LockedError } from './exclusive.js';
export * from './message-box-advertisements.js';
export * from './message-store.js';
export { type OpenDatabase, openDatabase, openStore } from './open-store.js';
export { type OwnAdvertisement, OwnAdvertisements } from './own-advertisements.js';
export * from './permission-store.js';
export { type OutboxRow, PushOutbox } from './push-outbox.js';
export { retryContention } from './retry-contention.js';
export * from './server-fee-store.js';
export * from './sql-client.js';
export { SqlClientNonces } from './sql-client-nonces.js';
export { SqlPermissionStore } from './sql-permission-store.js';
export type { MysqlConfig, SqliteConfig, StoreConfig, StoreLimits, StoreLog } from './store-config.js';
export * from './store-errors.js';
export { StoredUsage } from './stored-usage.js';
export { type SqlErrorKind, sqlErrorKind, translateError } from './translate-error.js';
export { type BoxSweep, UnusedBoxes } from './unused-boxes.js';
