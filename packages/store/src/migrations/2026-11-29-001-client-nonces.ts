import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * `client_nonces`: the client nonces of HTTP sessions (BRC-103), by the random handle in the server's session nonce.
 * `expires_at` is in milliseconds since 1970. A row is unproven until its client has signed a request.
 */
export async function up(knex: Knex): Promise<void> {
  for (const statement of isMysql(knex) ? MYSQL : SQLITE) await knex.raw(statement);
}

const MYSQL = [
  `CREATE TABLE IF NOT EXISTS client_nonces (
  handle BINARY(16) NOT NULL PRIMARY KEY,
  client_nonce VARBINARY(172) NOT NULL,
  proven TINYINT NOT NULL,
  expires_at BIGINT NOT NULL,
  KEY client_nonces_expiry_index (proven, expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
];

const SQLITE = [
  `CREATE TABLE IF NOT EXISTS client_nonces (
  handle BLOB NOT NULL PRIMARY KEY,
  client_nonce BLOB NOT NULL,
  proven INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID`,
  'CREATE INDEX IF NOT EXISTS client_nonces_expiry_index ON client_nonces (proven, expires_at)',
];
