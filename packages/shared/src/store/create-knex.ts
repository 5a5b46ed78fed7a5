import knexModule, { type Knex } from 'knex';
import type { Connection } from 'mysql2';
import { createPrivateDatabaseFile, restrictDatabaseFiles } from './private-files.js';
import type { SqliteDatabase } from './sqlite-client.js';
import {
  DEFAULT_ACQUIRE_TIMEOUT_MS,
  DEFAULT_POOL_SIZE,
  type MysqlConfig,
  type SqliteConfig,
  type StoreConfig,
  type StoreLimits,
  type StoreLog,
} from './store-config.js';

/** Strict, so that what doesn't fit is an error and never cut off; backslash escapes on, which the driver relies on. */
const SQL_MODE = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';
/** Well under the query timeout, so that a wait for a lock ends as a contended statement and not as a lost connection. */
const LOCK_WAIT_SECONDS = 3;
/** SQLite waits for another process's lock without letting the event loop run, so this is short; the store retries. */
export const SQLITE_BUSY_TIMEOUT_MS = 1_000;

/**
 * Knex for a store's database, with every connection set up as the store needs it. Doesn't connect yet.
 *
 * MySQL and MariaDB: UTC, utf8mb4, strict mode, READ COMMITTED (which spares the gap locks that make unrelated
 * messages wait for each other). SQLite: WAL, `synchronous=FULL`, foreign keys on; its files are readable by their owner only.
 *
 * @param migrationTable where migrations of somebody else's tables are recorded; the store records its own in
 * `knex_migrations`
 */
export function createKnex(config: StoreConfig, log?: StoreLog, migrationTable?: string): Knex {
  return knexModule.knex({
    ...(config.client === 'mysql2' ? mysqlOptions(config) : sqliteOptions(config)),
    ...(migrationTable === undefined ? {} : { migrations: { tableName: migrationTable } }),
    log: knexLog(log),
  });
}

function mysqlOptions(config: MysqlConfig & StoreLimits): Knex.Config {
  const acquireTimeoutMillis = config.acquireTimeoutMs ?? DEFAULT_ACQUIRE_TIMEOUT_MS;
  const given = typeof config.connection === 'string' ? { uri: config.connection } : config.connection;
  return {
    client: 'mysql2',
    connection: {
      connectTimeout: acquireTimeoutMillis,
      ...given,
      charset: 'utf8mb4',
      timezone: 'Z',
      supportBigNumbers: true,
      dateStrings: false,
    },
    pool: {
      min: 0,
      max: config.poolSize ?? DEFAULT_POOL_SIZE,
      acquireTimeoutMillis,
      createTimeoutMillis: acquireTimeoutMillis,
      afterCreate: setUpMysqlConnection,
    },
  };
}

function setUpMysqlConnection(connection: Connection, done: (error: Error | null, connection: Connection) => void) {
  const settings = `SET time_zone = '+00:00', sql_mode = '${SQL_MODE}', innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`;
  connection.query(settings, (error) => {
    if (error) return done(error, connection);
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', (error) => done(error, connection));
  });
}

function sqliteOptions(config: SqliteConfig & StoreLimits): Knex.Config {
  createPrivateDatabaseFile(config.filename);
  return {
    client: 'better-sqlite3',
    connection: { filename: config.filename },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      acquireTimeoutMillis: config.acquireTimeoutMs ?? DEFAULT_ACQUIRE_TIMEOUT_MS,
      afterCreate: setUpSqliteConnection(config.filename),
    },
  };
}

function setUpSqliteConnection(filename: string) {
  return (database: SqliteDatabase, done: (error: Error | null, database: SqliteDatabase) => void) => {
    try {
      database.pragma(`busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.pragma('foreign_keys = ON');
      restrictDatabaseFiles(filename);
      done(null, database);
    } catch (error) {
      done(error as Error, database);
    }
  };
}

/**
 * Knex writes to the console unless told otherwise. Lost connections are left out: every call that meets one rejects
 * with it, and an outage would fill the log twice.
 */
function knexLog(log: StoreLog | undefined): Knex.Logger {
  const quiet = () => {};
  const warn = (message: unknown) => {
    const text = String(message);
    if (!/^(Acquire connection error|Connection Error)/.test(text)) log?.warn({ from: 'knex' }, text);
  };
  return { warn, error: warn, deprecate: quiet, debug: quiet };
}
