import type { MessageStore } from '../messages/message-store.js';
import { SqlMessageStore } from '../messages/sql-message-store.js';
import { ConnectionWatch } from './connection-watch.js';
import { createKnex } from './create-knex.js';
import { MysqlClient } from './mysql-client.js';
import { isDatabaseFile } from './private-files.js';
import type { SqlClient } from './sql-client.js';
import { SqliteClient } from './sqlite-client.js';
import { SqliteThread, type StartSqliteThread } from './sqlite-thread.js';
import {
  DEFAULT_MIGRATION_LOCK_TIMEOUT_MS,
  DEFAULT_QUERY_TIMEOUT_MS,
  type StoreConfig,
  type StoreLog,
} from './store-config.js';

/** A database and the message store in it. Closing the message store closes both. */
export interface DatabaseHandle {
  readonly messages: MessageStore;
  /** For the other stores in the same database. */
  readonly sql: SqlClient;
}

/** Parts that tests replace. */
export interface DatabaseParts {
  readonly startSqliteThread?: StartSqliteThread | undefined;
}

/**
 * Opens the database that `config` names. Returns at once: the first call connects, and fails when the database can't be
 * reached. The schema is not changed; see `migrate()` and `getSchemaStatus()` of the message store.
 *
 * @param log for failed connections and for migrations. Default: no log
 */
export function openDatabase(config: StoreConfig, log?: StoreLog, parts: DatabaseParts = {}): DatabaseHandle {
  const watch = new ConnectionWatch(config.probeIdleMs);
  const knex = createKnex(config, log, undefined, watch);
  const { retentionDays = 0, queryTimeoutMs = DEFAULT_QUERY_TIMEOUT_MS, receipts } = config;
  const sql =
    config.client === 'mysql2'
      ? new MysqlClient(knex, { queryTimeoutMs, retentionDays, receipts, watch })
      : new SqliteClient(knex, { retentionDays, receipts, thread: createSqliteThread(config.filename, log, parts) });
  const lockTimeoutMs = config.migrationLockTimeoutMs ?? DEFAULT_MIGRATION_LOCK_TIMEOUT_MS;
  const { storesBatchBodiesOnce = config.client === 'better-sqlite3' } = config;
  return { sql, messages: new SqlMessageStore(sql, { lockTimeoutMs, log }, storesBatchBodiesOnce) };
}

/** Opens only the message store of {@link openDatabase}. */
export function openStore(config: StoreConfig, log?: StoreLog): MessageStore {
  return openDatabase(config, log).messages;
}

function createSqliteThread(
  filename: string,
  log: StoreLog | undefined,
  parts: DatabaseParts,
): SqliteThread | undefined {
  // Another connection to a database in memory would open another database.
  if (!isDatabaseFile(filename)) return undefined;
  return new SqliteThread({ filename, log, start: parts.startSqliteThread });
}
