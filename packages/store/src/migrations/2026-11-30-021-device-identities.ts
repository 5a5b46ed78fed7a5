import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasIndex } from './has-index.js';
import { dropIndexes, readColumns } from './mysql-tables.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * Several identities may register one device token.
 *
 * - `device_registrations` is unique by token and identity, and no longer by token. Rows keep their ids, which deliveries
 *   refer to. An older version that runs beside this one still gives a row of a token to the identity that registers it. It
 *   answers 503 when that identity has another row already.
 * - `device_registrations.web_push_keys`: `{p256dh, auth}` as JSON. NULL: the token is one of FCM, and no endpoint.
 * - `message_box` in `push_outbox` and `push_deliveries`. Older versions write NULL, and push from `notifications` only.
 *
 * SQLite runs this in one transaction. MySQL and MariaDB commit each statement, and the next run completes an interrupted one.
 */
export async function up(knex: Knex): Promise<void> {
  if (isMysql(knex)) await changeMysqlDevices(knex);
  else await rebuildSqliteDevices(knex);
  for (const table of ['push_outbox', 'push_deliveries']) {
    await addColumn(knex, table, 'message_box', isMysql(knex) ? 'VARBINARY(1020) NULL' : 'BLOB NULL');
  }
}

const DEVICES = 'device_registrations';
const UNIQUE = 'device_registrations_fcm_token_identity_key_unique';

/** The new key comes before the old one goes, so that a token can always be found by an index. It has 3,020 of 3,072 bytes. */
async function changeMysqlDevices(knex: Knex): Promise<void> {
  await addColumn(knex, DEVICES, 'web_push_keys', 'TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL');
  if (!(await hasIndex(knex, DEVICES, UNIQUE))) {
    await knex.raw(`ALTER TABLE ${DEVICES} ADD UNIQUE KEY ${UNIQUE} (fcm_token, identity_key)`);
  }
  await dropIndexes(knex, DEVICES, ['device_registrations_fcm_token_unique']);
}

const COLUMNS = 'id, created_at, updated_at, identity_key, fcm_token, device_id, platform, last_used, active';
const NOW = "(CAST(unixepoch('subsec') * 1000 AS INTEGER))";

/** SQLite can't drop the key of a table, so the table is replaced. */
async function rebuildSqliteDevices(knex: Knex): Promise<void> {
  for (const statement of [
    `CREATE TABLE new_devices (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       created_at INTEGER NOT NULL DEFAULT ${NOW},
       updated_at INTEGER NOT NULL DEFAULT ${NOW},
       identity_key BLOB NOT NULL,
       fcm_token BLOB NOT NULL,
       device_id TEXT,
       platform TEXT,
       last_used INTEGER,
       active INTEGER NOT NULL DEFAULT 1,
       web_push_keys TEXT
     )`,
    `INSERT INTO new_devices (${COLUMNS}) SELECT ${COLUMNS} FROM ${DEVICES}`,
    // Deliveries may wait for a row that was deleted, so its id must not be used again.
    "DELETE FROM sqlite_sequence WHERE name = 'new_devices'",
    `INSERT INTO sqlite_sequence (name, seq) SELECT 'new_devices', seq FROM sqlite_sequence WHERE name = '${DEVICES}'`,
    `DROP TABLE ${DEVICES}`,
    `ALTER TABLE new_devices RENAME TO ${DEVICES}`,
    `CREATE UNIQUE INDEX ${UNIQUE} ON ${DEVICES} (fcm_token, identity_key)`,
    `CREATE INDEX device_registrations_identity_key_active_index ON ${DEVICES} (identity_key, active)`,
  ]) {
    await knex.raw(statement);
  }
}

async function addColumn(knex: Knex, table: string, column: string, type: string): Promise<void> {
  const exists = isMysql(knex)
    ? (await readColumns(knex, table)).has(column)
    : await knex.schema.hasColumn(table, column);
  if (!exists) await knex.raw(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
}
