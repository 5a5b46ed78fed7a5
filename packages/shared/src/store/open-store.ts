import { createKnex } from './create-knex.js';
import { KnexMessageStore } from './knex-message-store.js';
import type { MessageStore } from './message-store.js';
import { MysqlClient } from './mysql-client.js';
import type { SqlClient } from './sql-client.js';
import { SqliteClient } from './sqlite-client.js';
import {
  DEFAULT_MIGRATION_LOCK_TIMEOUT_MS,
  DEFAULT_QUERY_TIMEOUT_MS,
  type StoreConfig,
  type StoreLog,
} from './store-config.js';

/** A database and the message store in it. Closing the store closes both. */
export interface OpenDatabase {
  readonly messages: MessageStore;
  /** For stores of other things in the same database. */
  readonly sql: SqlClient;
}

/**
 * The database that `config` names. Returns at once: the first call connects, and it is that call which fails when the
 * database can't be reached. The schema is not touched; see `migrate()` and `schemaStatus()` of the message store.
 *
 * @param log where to tell of failing connections and of migrations; nothing is written when absent
 */
export function openDatabase(config: StoreConfig, log?: StoreLog): OpenDatabase {
  const knex = createKnex(config, log);
  const sql =
    config.client === 'mysql2'
      ? new MysqlClient(knex, config.queryTimeoutMs ?? DEFAULT_QUERY_TIMEOUT_MS)
      : new SqliteClient(knex);
  const lockTimeoutMs = config.migrationLockTimeoutMs ?? DEFAULT_MIGRATION_LOCK_TIMEOUT_MS;
  return { sql, messages: new KnexMessageStore(sql, { lockTimeoutMs, log }) };
}

/** The message store of {@link openDatabase}, for who needs nothing else. */
export function openStore(config: StoreConfig, log?: StoreLog): MessageStore {
  return openDatabase(config, log).messages;
}
