import knexModule, { type Knex } from 'knex';
import type { Connection } from 'mysql2';
import type { ConnectionWatch } from './connection-watch.js';
import { createPrivateDatabaseFile, restrictDatabaseFiles } from './private-files.js';
import type { SqliteDatabase } from './sqlite-database.js';
import {
  DEFAULT_ACQUIRE_TIMEOUT_MS,
  DEFAULT_POOL_SIZE,
  type MysqlConfig,
  type SqliteConfig,
  type StoreConfig,
  type StoreLimits,
  type StoreLog,
} from './store-config.js';

/** Strict: a value that is too long is an error and is never truncated. Backslash escapes stay on; the driver needs them. */
const SQL_MODE = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';
/** Well below the query timeout, so that a wait for a lock ends as a contended statement and not as a lost connection. */
const LOCK_WAIT_SECONDS = 3;
/** Short, because SQLite blocks the event loop while it waits for another process's lock. The store retries. */
export const SQLITE_BUSY_TIMEOUT_MS = 1_000;

/**
 * Knex for a store's database. Sets up every connection as the store needs it, and doesn't connect yet.
 *
 * MySQL and MariaDB: UTC, utf8mb4, strict mode, READ COMMITTED (without the gap locks that make unrelated messages wait
 * for each other). SQLite: WAL, `synchronous=FULL`, foreign keys on, files readable by their owner only.
 *
 * @param migrationTable the table that records migrations of other packages' tables. Default: `knex_migrations`, which
 *   records the store's own
 * @param watch checks idle connections to MySQL before their next use; without it they are used as they are
 */
export function createKnex(
  config: StoreConfig,
  log?: StoreLog,
  migrationTable?: string,
  watch?: ConnectionWatch,
): Knex {
  return knexModule.knex({
    ...(config.client === 'mysql2' ? toMysqlOptions(config, watch) : toSqliteOptions(config)),
    ...(migrationTable === undefined ? {} : { migrations: { tableName: migrationTable } }),
    log: createKnexLog(log),
  });
}

function toMysqlOptions(config: MysqlConfig & StoreLimits, watch: ConnectionWatch | undefined): Knex.Config {
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
      afterCreate: (connection: Connection, done: Done) =>
        setUpMysqlConnection(connection, (error) => {
          watch?.noteAnswer(connection);
          done(error, connection);
        }),
      ...(watch === undefined ? {} : { validate: (connection: Connection) => watch.isUsable(connection) }),
    },
  };
}

type Done = (error: Error | null, connection: Connection) => void;

function setUpMysqlConnection(connection: Connection, done: (error: Error | null) => void) {
  const settings = `SET time_zone = '+00:00', sql_mode = '${SQL_MODE}', innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`;
  connection.query(settings, (error) => {
    if (error) return done(error);
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', (error) => done(error));
  });
}

function toSqliteOptions(config: SqliteConfig & StoreLimits): Knex.Config {
  createPrivateDatabaseFile(config.filename);
  return {
    client: 'better-sqlite3',
    connection: { filename: config.filename },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      acquireTimeoutMillis: config.acquireTimeoutMs ?? DEFAULT_ACQUIRE_TIMEOUT_MS,
      afterCreate: createSqliteConnectionSetup(config.filename),
    },
  };
}

function createSqliteConnectionSetup(filename: string) {
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
 * Without a log of ours, Knex writes to the console. Lost connections are left out: each call that fails because of one
 * rejects with that error, so an outage would be logged twice.
 */
function createKnexLog(log: StoreLog | undefined): Knex.Logger {
  const quiet = () => {};
  const warn = (message: unknown) => {
    const text = String(message);
    if (!/^(Acquire connection error|Connection Error)/.test(text)) log?.warn({ from: 'knex' }, text);
  };
  return { warn, error: warn, deprecate: quiet, debug: quiet };
}
