/** Which database to use, and how long to wait for it. */
export type StoreConfig = (MysqlConfig | SqliteConfig) & StoreLimits;

export interface MysqlConfig {
  readonly client: 'mysql2';
  /** A `mysql://user:password@host:port/database` URL, or connection options of the mysql2 driver. */
  readonly connection: string | object;
}

export interface SqliteConfig {
  readonly client: 'better-sqlite3';
  /** A file, made when it is missing (its folder must exist), or `:memory:`. */
  readonly filename: string;
}

export interface StoreLimits {
  /** Most connections at once. MySQL only (SQLite has one). Default 10. */
  readonly poolSize?: number | undefined;
  /** Milliseconds that a call waits for a connection, new or free. Default 5,000. */
  readonly acquireTimeoutMs?: number | undefined;
  /** Milliseconds that one statement may take before its connection is given up. MySQL only. Default 10,000. */
  readonly queryTimeoutMs?: number | undefined;
  /** Milliseconds that `migrate()` waits for another instance that is migrating. Default 60,000. */
  readonly migrationLockTimeoutMs?: number | undefined;
}

/** Where the store tells what is no caller's business. A pino logger fits. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export const DEFAULT_POOL_SIZE = 10;
export const DEFAULT_ACQUIRE_TIMEOUT_MS = 5_000;
export const DEFAULT_QUERY_TIMEOUT_MS = 10_000;
export const DEFAULT_MIGRATION_LOCK_TIMEOUT_MS = 60_000;
