import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasMysqlIndex, readColumns } from './mysql-tables.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** On MySQL and MariaDB each statement commits by itself, and the next run completes an interrupted one. */
export const config = { transaction: false };

const INDEX = 'messages_shared_body_index';

/**
 * `shared_bodies`: bodies that several messages of one batch have in common. `bytes` are those of the body in UTF-8;
 * `created_at` is in milliseconds since 1970. A message with a `shared_body_id` has an empty body of its own.
 *
 * There is no foreign key: MySQL would copy the whole table of messages to add it. Only the transaction that adds a shared
 * body adds messages that refer to it, so a body that no message refers to is never used again.
 *
 * MySQL and MariaDB add the column at once, and the index while others read and write. SQLite copies the table of messages, with
 * the body behind all other columns: to read a column behind a body of 4 MB, it reads the thousand pages of that body first.
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
  await knex.transaction(async (transaction) => {
    // AUTOINCREMENT: an id is never used twice.
    await transaction.raw(`CREATE TABLE shared_bodies (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      created_at INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      body TEXT NOT NULL
    )`);
    await copySqliteMessages(transaction);
    await transaction.raw(`CREATE INDEX ${INDEX} ON messages (shared_body_id) WHERE shared_body_id IS NOT NULL`);
  });
}

const OLD_COLUMNS = `id, created_at, updated_at, messageBoxId, sender, recipient, messageId, body_bytes, expires_at,
  carries_payment, body`;

async function copySqliteMessages(knex: Knex): Promise<void> {
  const now = "(CAST(unixepoch('subsec') * 1000 AS INTEGER))";
  const indexes: { sql: string }[] = await knex.raw(
    "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'messages' AND sql IS NOT NULL",
  );
  for (const statement of [
    `CREATE TABLE new_messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      created_at INTEGER NOT NULL DEFAULT ${now},
      updated_at INTEGER NOT NULL DEFAULT ${now},
      messageBoxId INTEGER REFERENCES messageBox (messageBoxId) ON DELETE CASCADE,
      sender BLOB NOT NULL,
      recipient BLOB NOT NULL,
      messageId BLOB NOT NULL,
      body_bytes INTEGER NULL,
      expires_at INTEGER NULL,
      carries_payment INTEGER NULL,
      shared_body_id INTEGER NULL,
      body TEXT NOT NULL,
      UNIQUE (recipient, messageId)
    )`,
    `INSERT INTO new_messages (${OLD_COLUMNS}) SELECT ${OLD_COLUMNS} FROM messages ORDER BY id`,
    // An id of a message that is gone is not used again either.
    "DELETE FROM sqlite_sequence WHERE name = 'new_messages'",
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'new_messages', seq FROM sqlite_sequence WHERE name = 'messages'",
    'DROP TABLE messages',
    'ALTER TABLE new_messages RENAME TO messages',
    ...indexes.map(({ sql }) => sql),
  ]) {
    await knex.raw(statement);
  }
}
