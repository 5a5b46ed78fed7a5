import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * `payments`: the payments that came with messages. There is one row for each transaction, which is never deleted, because a
 * transaction pays once. The row is written before the payment is taken, and holds the messages that it pays for, so that
 * after an interruption both are completed or neither. The messages are removed from the row when they are stored. Times
 * are milliseconds since 1970.
 */
export async function up(knex: Knex): Promise<void> {
  const mysql = isMysql(knex);
  const bytes = (length: number) => (mysql ? `VARBINARY(${length})` : 'BLOB');
  const [text, blob] = mysql ? ['LONGTEXT', 'LONGBLOB'] : ['TEXT', 'BLOB'];
  await knex.raw(`CREATE TABLE IF NOT EXISTS payments (
    txid ${mysql ? 'BINARY(32)' : 'BLOB'} NOT NULL PRIMARY KEY,
    sender ${bytes(66)} NOT NULL,
    state ${bytes(16)} NOT NULL,
    covers ${text} NOT NULL,
    beef ${blob} NULL,
    server_output ${text} NULL,
    delivery ${text} NULL,
    reason ${text} NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL${mysql ? ', INDEX payments_state_index (state, updated_at)' : ''}
  ) ${mysql ? 'ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4' : ''}`);
  if (!mysql) await knex.raw('CREATE INDEX IF NOT EXISTS payments_state_index ON payments (state, updated_at)');
}
