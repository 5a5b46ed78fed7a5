/** Which database to use, and how long to wait for it. */
export type StoreConfig = (MysqlConfig | SqliteConfig) & StoreLimits;

export interface MysqlConfig {
  readonly client: 'mysql2';
  /** A `mysql://user:password@host:port/database` URL, or connection options of the mysql2 driver. */
  readonly connection: string | object;
}

export interface SqliteConfig {
  readonly client: 'better-sqlite3';
  /** A file, which is created when it is missing (its folder must exist), or `:memory:`. */
  readonly filename: string;
}

export interface StoreLimits {
  /** Most connections at a time. MySQL only; SQLite has one. Default 10. */
  readonly poolSize?: number | undefined;
  /** Milliseconds that a call waits for a connection, new or free. Default 5,000. */
  readonly acquireTimeoutMs?: number | undefined;
  /** Milliseconds that one statement may take; then its connection is destroyed. MySQL only. Default 10,000. */
  readonly queryTimeoutMs?: number | undefined;
  /** Milliseconds after its last answer from which on a connection is probed before its next use. MySQL only. Default 1,000. */
  readonly probeIdleMs?: number | undefined;
  /** Milliseconds that `migrate()` waits while another instance migrates. Default 60,000. */
  readonly migrationLockTimeoutMs?: number | undefined;
  /** Days after which messages expire, whatever their sender has asked for. Default 0: never. */
  readonly retentionDays?: number | undefined;
  /**
   * Whether a body that several recipients get is stored once. An instance of a version without this setting would list such
   * messages with an empty body, so none may use the database. Default: true on SQLite, which one process uses, and false on
   * MySQL.
   */
  readonly storesBatchBodiesOnce?: boolean | undefined;
  /** What is remembered of messages that are gone. Default: nothing. */
  readonly receipts?: ReceiptsConfig | undefined;
}

/** What is remembered of messages that were acknowledged or have expired, for their senders. */
export interface ReceiptsConfig {
  /** 32 bytes that are secret, and the same for all instances. With another key, earlier receipts are not found. */
  readonly key: Buffer;
  /** Days for which a receipt is kept, at least 1. */
  readonly days: number;
  /** Most bytes of the receipts of all senders, and of those about one sender's messages. */
  readonly maxBytes: number;
  readonly maxBytesPerSender: number;
}

/** The log for events that no caller is told of. A pino logger fits. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export const DEFAULT_POOL_SIZE = 10;
export const DEFAULT_ACQUIRE_TIMEOUT_MS = 5_000;
export const DEFAULT_QUERY_TIMEOUT_MS = 10_000;
export const DEFAULT_MIGRATION_LOCK_TIMEOUT_MS = 60_000;
