import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasMysqlIndex, readColumns } from './mysql-tables.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** Each statement commits by itself. The next run completes an interrupted one. */
export const config = { transaction: false };

const INDEX = 'messages_shared_body_index';

/**
 * `shared_bodies`: bodies that several messages of one batch have in common. `bytes` are those of the body in UTF-8;
 * `created_at` is in milliseconds since 1970. A message with a `shared_body_id` has an empty body of its own.
 *
 * There is no foreign key: MySQL would copy the whole table of messages to add it. Only the transaction that adds a shared
 * body adds messages that refer to it, so a body that no message refers to is never used again.
 *
 * MySQL and MariaDB add the column at once, and the index while others read and write.
 */
export async function up(knex: Knex): Promise<void> {
  await (isMysql(knex) ? changeMysql(knex) : changeSqlite(knex));
}

async function changeMysql(knex: Knex): Promise<void> {
  await knex.raw(`CREATE TABLE IF NOT EXISTS shared_bodies (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    bytes INT UNSIGNED NOT NULL,
    body LONGTEXT NOT NULL
  ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`);
  if (!(await readColumns(knex, 'messages')).has('shared_body_id')) {
    await knex.raw('ALTER TABLE messages ADD COLUMN shared_body_id BIGINT UNSIGNED NULL');
  }
  if (!(await hasMysqlIndex(knex, 'messages', INDEX))) {
    await knex.raw(`ALTER TABLE messages ADD INDEX ${INDEX} (shared_body_id)`);
  }
}

async function changeSqlite(knex: Knex): Promise<void> {
  // AUTOINCREMENT: an id is never used twice.
  await knex.raw(`CREATE TABLE IF NOT EXISTS shared_bodies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body TEXT NOT NULL
  )`);
  if (!(await knex.schema.hasColumn('messages', 'shared_body_id'))) {
    await knex.raw('ALTER TABLE messages ADD COLUMN shared_body_id INTEGER NULL');
  }
  await knex.raw(`CREATE INDEX IF NOT EXISTS ${INDEX} ON messages (shared_body_id) WHERE shared_body_id IS NOT NULL`);
}
