export { type AccountErasure, eraseAccount } from './admin/account-eraser.js';
export {
  type AccountBatch,
  AccountReader,
  type ExportedMessage,
  type ExportedPayment,
  type ExportedPermission,
} from './admin/account-reader.js';
export {
  type AuditDetails,
  type AuditEntry,
  AuditLog,
  appendAudit,
  MAX_AUDIT_ENTRIES,
  type NewAuditEntry,
} from './admin/audit-log.js';
export { type Block, BlockedIdentities, MAX_BLOCKED_IDENTITIES } from './admin/blocked-identities.js';
export { type IdentityUsage, readIdentityUsage } from './admin/identity-usage.js';
export { type EraseResult, eraseMessages, type KeptPayment, MAX_NAMED_PAYMENTS } from './admin/message-eraser.js';
export {
  MAX_RANKED,
  type RankedBox,
  readStoredTimes,
  surveyUsage,
  type UsageOrder,
  type UsageSurvey,
} from './admin/usage-survey.js';
export type { SenderAmount } from './admin/usage-walks.js';
export { createKnex } from './client/create-knex.js';
export { type DatabaseHandle, type DatabaseParts, openDatabase, openStore } from './client/open-store.js';
export { retryContention } from './client/retry-contention.js';
export {
  dynamic,
  fromBinaryName,
  prepared,
  type Sql,
  type SqlClient,
  type SqlRow,
  type SqlRunner,
  type SqlValue,
  toBinaryName,
} from './client/sql-client.js';
export { type StartSqliteThread, startSqliteThread } from './client/sqlite-thread.js';
export type { ReceiptsConfig, StoreConfig, StoreLog } from './client/store-config.js';
export {
  MessageIdTakenError,
  MigrationError,
  StoreUnavailableError,
  TooManyBlockedError,
  TooManyIdentitiesError,
  TooManyPermissionsError,
  TooManyUploadsError,
  UploadUnavailableError,
  WritesRefusedError,
} from './client/store-errors.js';
export { classifySqlError, translateError } from './client/translate-error.js';
export {
  type Device,
  DeviceRegistrations,
  MAX_DEVICES,
  MAX_TOKEN_IDENTITIES,
  type NewDevice,
  type WebPushKeys,
} from './devices/device-registrations.js';
export { type NewPushDelivery, type NextAttempt, type PushDelivery, PushOutbox } from './devices/push-outbox.js';
export { inspectMysql, inspectSchema, type MysqlFacts } from './inspection/inspect-database.js';
export { type HeldLock, LockedError, LockUnavailableError, NamedLock } from './locks/named-lock.js';
export {
  type BoxStatus,
  type BoxStatusPage,
  BoxStatusReader,
  MAX_COUNTED_PER_BOX,
} from './messages/box-status-reader.js';
export { ExpiredMessagePurger, type PurgeStep } from './messages/expired-message-purger.js';
export { describeExpiry, type ExpirySql } from './messages/message-expiry.js';
export type {
  ConnectionCounts,
  HeaderQuery,
  ListQuery,
  MessageHeader,
  MessagePage,
  MessageStore,
  MessageUpload,
  NewMessage,
  RequestClaim,
  SchemaStatus,
  StoredMessage,
  StoredUpload,
  StoreOutcome,
  StoreResult,
  TransactionHook,
} from './messages/message-store.js';
export { SharedBodySweeper } from './messages/shared-body-sweeper.js';
export { SqlUsageReader } from './messages/sql-usage-reader.js';
export type { StorageAmount } from './messages/storage-amount.js';
export { UnusedBoxSweeper } from './messages/unused-box-sweeper.js';
export { MIGRATION_NAMES, migrationSource } from './migrations/index.js';
export { upgradeMysqlSchema } from './migrations/mysql-upgrade.js';
export {
  AdvertisementRows,
  type AdvertisementStanding,
  type AdvertisementTable,
} from './overlay/advertisement-rows.js';
export { MessageBoxAdvertisements } from './overlay/message-box-advertisements.js';
export { OwnAdvertisements } from './overlay/own-advertisements.js';
export {
  BLOCKED,
  MAX_FEE,
  type NewPermission,
  type PermissionDecisions,
  type PermissionKey,
  type PermissionPage,
  type PermissionQuery,
  type PermissionStore,
  type StoredPermission,
} from './permissions/permission-store.js';
export { type ServerFee, type ServerFeeStore, SqlServerFeeStore } from './permissions/server-fee-store.js';
export { SqlPermissionStore } from './permissions/sql-permission-store.js';
export { ReceiptPurger } from './receipts/receipt-purger.js';
export {
  MAX_RECIPIENTS_PER_ID,
  type SentState,
  type SentStatus,
  SentStatusReader,
} from './receipts/sent-status-reader.js';
export { BoundedWrites } from './sessions/bounded-writes.js';
export { SqlClientNonceStore } from './sessions/sql-client-nonce-store.js';
export type { UploadState } from './uploads/upload-states.js';
export {
  type DueRemoval,
  type NewUpload,
  type Upload,
  type UploadLimits,
  UploadStore,
} from './uploads/upload-store.js';
