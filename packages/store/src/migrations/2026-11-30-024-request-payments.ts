import type { Knex } from 'knex';
import { isMysql } from './dialect.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * `request_payments`: the payments for the prices of requests (BRC-105). There is one row for each transaction, which is never
 * deleted, because a transaction pays once. The row is written before the payment is taken. `request` is the digest of the
 * request that has the payment. Times are milliseconds since 1970.
 */
export async function up(knex: Knex): Promise<void> {
  const mysql = isMysql(knex);
  const bytes = (length: number) => (mysql ? `VARBINARY(${length})` : 'BLOB');
  const digest = mysql ? 'BINARY(32)' : 'BLOB';
  const [text, blob] = mysql ? ['LONGTEXT', 'LONGBLOB'] : ['TEXT', 'BLOB'];
  const indexes = [
    ['request_payments_state_index', 'state, updated_at'],
    ['request_payments_sender_index', 'sender, txid'],
    ['request_payments_credit_index', 'sender, state, satoshis'],
  ] as const;
  await knex.raw(`CREATE TABLE IF NOT EXISTS request_payments (
    txid ${digest} NOT NULL PRIMARY KEY,
    sender ${bytes(66)} NOT NULL,
    state ${bytes(16)} NOT NULL,
    satoshis BIGINT NOT NULL,
    request ${digest} NULL,
    uses INTEGER NOT NULL DEFAULT 0,
    beef ${blob} NULL,
    server_output ${text} NULL,
    reason ${text} NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL${mysql ? indexes.map(([name, columns]) => `, INDEX ${name} (${columns})`).join('') : ''}
  ) ${mysql ? 'ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4' : ''}`);
  if (mysql) return;
  for (const [name, columns] of indexes) {
    await knex.raw(`CREATE INDEX IF NOT EXISTS ${name} ON request_payments (${columns})`);
  }
}
