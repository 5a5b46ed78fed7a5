import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * `push_outbox`: messages that are still to be pushed to devices, written in the transaction that stores them. Times are
 * milliseconds since 1970. `claimed_until` and `claimed_by` are the lease of the instance that works on the row.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(isMysql(knex) ? MYSQL : SQLITE);
}

const MYSQL = `CREATE TABLE IF NOT EXISTS push_outbox (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  recipient VARBINARY(66) NOT NULL,
  sender VARBINARY(66) NOT NULL,
  message_id VARBINARY(1020) NOT NULL,
  created_at BIGINT NOT NULL,
  claimed_until BIGINT NOT NULL DEFAULT 0,
  claimed_by BINARY(16) NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`;

const SQLITE = `CREATE TABLE IF NOT EXISTS push_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  recipient BLOB NOT NULL,
  sender BLOB NOT NULL,
  message_id BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  claimed_until INTEGER NOT NULL DEFAULT 0,
  claimed_by BLOB NULL
)`;
