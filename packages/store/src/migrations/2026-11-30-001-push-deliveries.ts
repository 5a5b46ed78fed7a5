import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * `push_deliveries`: a row for each device that is still to be told of a message. Times are milliseconds since 1970.
 * `next_attempt_at` is when a row is due: after a failed attempt, or at the end of the lease of the instance that has
 * claimed it. `claimed_by` names that claim.
 *
 * `push_outbox` stays as it is. Sends write it in all versions, and its columns `claimed_until` and `claimed_by` are only
 * written by versions before this one. A later version may drop these two.
 */
export async function up(knex: Knex): Promise<void> {
  for (const statement of isMysql(knex) ? MYSQL : SQLITE) await knex.raw(statement);
}

const MYSQL = [
  `CREATE TABLE IF NOT EXISTS push_deliveries (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  device_id BIGINT UNSIGNED NOT NULL,
  recipient VARBINARY(66) NOT NULL,
  sender VARBINARY(66) NOT NULL,
  message_id VARBINARY(1020) NOT NULL,
  created_at BIGINT NOT NULL,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  next_attempt_at BIGINT NOT NULL,
  claimed_by BINARY(16) NULL,
  KEY push_deliveries_due_index (next_attempt_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
];

const SQLITE = [
  `CREATE TABLE IF NOT EXISTS push_deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL,
  recipient BLOB NOT NULL,
  sender BLOB NOT NULL,
  message_id BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER NOT NULL,
  claimed_by BLOB NULL
)`,
  'CREATE INDEX IF NOT EXISTS push_deliveries_due_index ON push_deliveries (next_attempt_at)',
];
