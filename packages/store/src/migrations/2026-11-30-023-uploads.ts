import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** Each statement commits by itself. The next run completes an interrupted one. */
export const config = { transaction: false };

/**
 * Large bodies in S3-compatible storage. Times are milliseconds since 1970.
 *
 * - `uploads`: a row for each object that may exist there, from before it can be written until it is certainly removed.
 *   `message_row_id` is `messages.id` of the message that names the upload. There is no foreign key: the row has to outlive
 *   the message, because it is what says that the object is still to be removed.
 *   `attempts` counts how often the server has read the object, and later how often its removal has failed.
 * - `upload_gate`: one row, whose lock lets one process at a time compare the sums with their limits.
 */
export async function up(knex: Knex): Promise<void> {
  for (const statement of isMysql(knex) ? MYSQL : SQLITE) await knex.raw(statement);
}

const MYSQL = [
  `CREATE TABLE IF NOT EXISTS uploads (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  upload_id VARBINARY(32) NOT NULL,
  owner VARBINARY(66) NOT NULL,
  bytes BIGINT UNSIGNED NOT NULL,
  sha256 BINARY(32) NOT NULL,
  state VARBINARY(8) NOT NULL,
  created_at BIGINT NOT NULL,
  writable_until BIGINT NOT NULL,
  due_at BIGINT NULL,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  verified_at BIGINT NULL,
  message_row_id BIGINT UNSIGNED NULL,
  UNIQUE KEY uploads_upload_id_unique (upload_id),
  UNIQUE KEY uploads_message_row_id_unique (message_row_id),
  KEY uploads_owner_index (owner, state, bytes),
  KEY uploads_due_index (state, due_at),
  KEY uploads_bytes_index (bytes)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  `CREATE TABLE IF NOT EXISTS upload_gate (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  'INSERT IGNORE INTO upload_gate (id) VALUES (1)',
];

const SQLITE = [
  `CREATE TABLE IF NOT EXISTS uploads (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  upload_id BLOB NOT NULL UNIQUE,
  owner BLOB NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  state BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  writable_until INTEGER NOT NULL,
  due_at INTEGER NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  verified_at INTEGER NULL,
  message_row_id INTEGER NULL UNIQUE
)`,
  'CREATE INDEX IF NOT EXISTS uploads_owner_index ON uploads (owner, state, bytes)',
  'CREATE INDEX IF NOT EXISTS uploads_due_index ON uploads (state, due_at)',
  'CREATE INDEX IF NOT EXISTS uploads_bytes_index ON uploads (bytes)',
  'CREATE TABLE IF NOT EXISTS upload_gate (id INTEGER PRIMARY KEY)',
  'INSERT OR IGNORE INTO upload_gate (id) VALUES (1)',
];
