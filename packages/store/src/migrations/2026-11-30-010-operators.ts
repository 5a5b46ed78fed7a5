import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasIndex } from './has-index.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** Each statement commits by itself. The next run completes an interrupted one. */
export const config = { transaction: false };

/**
 * What operators do. Times are milliseconds since 1970.
 *
 * - `blocked_identities`: identities that may not use this server.
 * - `operator_audit`: what operators did. `details` is JSON and holds no secret.
 * - `payments_sender_index`: finds the payments of an identity when it exports or deletes its data.
 */
export async function up(knex: Knex): Promise<void> {
  for (const statement of isMysql(knex) ? MYSQL : SQLITE) await knex.raw(statement);
  if (!(await hasIndex(knex, 'payments', 'payments_sender_index'))) {
    await knex.raw('CREATE INDEX payments_sender_index ON payments (sender, txid)');
  }
}

const MYSQL = [
  `CREATE TABLE IF NOT EXISTS blocked_identities (
  identity_key VARBINARY(66) NOT NULL PRIMARY KEY,
  blocked_at BIGINT NOT NULL,
  blocked_by VARBINARY(66) NOT NULL,
  reason TEXT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
  `CREATE TABLE IF NOT EXISTS operator_audit (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  done_at BIGINT NOT NULL,
  operator_key VARBINARY(66) NOT NULL,
  action VARBINARY(64) NOT NULL,
  subject VARBINARY(1100) NOT NULL,
  details TEXT NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
];

/** AUTOINCREMENT never uses an id twice, so that cursors stay valid. */
const SQLITE = [
  `CREATE TABLE IF NOT EXISTS blocked_identities (
  identity_key BLOB NOT NULL PRIMARY KEY,
  blocked_at INTEGER NOT NULL,
  blocked_by BLOB NOT NULL,
  reason TEXT NULL
) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS operator_audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  done_at INTEGER NOT NULL,
  operator_key BLOB NOT NULL,
  action BLOB NOT NULL,
  subject BLOB NOT NULL,
  details TEXT NOT NULL
)`,
];
