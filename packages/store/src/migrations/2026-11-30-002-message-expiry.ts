import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasIndex } from './has-index.js';
import { queryMysqlRows, readColumns } from './mysql-tables.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** Each statement commits by itself, so that no lock is held for long. The next run completes an interrupted one. */
export const config = { transaction: false };

/**
 * The expiry of messages.
 *
 * - `messages.expires_at` with `messages_expiration_index`, as the reference server has them since its 1.1.14. Those that a
 *   database of that server has already stay as they are.
 * - `messages.carries_payment`: NULL in rows of versions that don't know the column. `message-expiry.ts` says what then holds.
 * - The transactions of the reference server's `payment_replays` become records of payments that are used up.
 *
 * MySQL and MariaDB add the columns without touching a row, and build the index while others read and write.
 */
export async function up(knex: Knex): Promise<void> {
  await addColumns(knex);
  if (!(await hasIndex(knex, 'messages', 'messages_expiration_index'))) {
    await knex.raw('CREATE INDEX messages_expiration_index ON messages (expires_at, messageId)');
  }
  if (isMysql(knex)) await takeOverSpentPayments(knex);
}

async function addColumns(knex: Knex): Promise<void> {
  const columns = isMysql(knex)
    ? [
        ['expires_at', 'TIMESTAMP NULL DEFAULT NULL'],
        ['carries_payment', 'TINYINT NULL'],
      ]
    : [
        ['expires_at', 'INTEGER NULL'],
        ['carries_payment', 'INTEGER NULL'],
      ];
  for (const [name, type] of columns as [string, string][]) {
    const exists = isMysql(knex)
      ? (await readColumns(knex, 'messages')).has(name)
      : await knex.schema.hasColumn('messages', name);
    if (!exists) await knex.raw(`ALTER TABLE messages ADD COLUMN ${name} ${type}`);
  }
}

/** Rows of `payment_replays` that one statement takes over. */
const BATCH_SIZE = 1_000;

/**
 * Records each transaction that the reference server was paid with as used up, in the name of nobody: every sender is told
 * that it has paid for other messages. Its claims expire after a year; here a transaction pays once, for ever.
 */
async function takeOverSpentPayments(knex: Knex): Promise<void> {
  if ((await readColumns(knex, 'payment_replays')).size === 0) return;
  for (let after = ''; ; ) {
    const [batch] = await queryMysqlRows(
      knex,
      `SELECT COUNT(*) AS n, MAX(transaction_id) AS last FROM
       (SELECT transaction_id FROM payment_replays WHERE transaction_id > ? ORDER BY transaction_id LIMIT ${BATCH_SIZE}) AS batch`,
      [after],
    );
    if (Number(batch?.['n'] ?? 0) === 0) return;
    const last = String(batch?.['last']);
    await knex.raw(
      `INSERT INTO payments (txid, sender, state, covers, reason, created_at, updated_at)
       SELECT UNHEX(transaction_id), '', 'done', '[]', 'paid to the reference server',
         UNIX_TIMESTAMP(created_at) * 1000, UNIX_TIMESTAMP(created_at) * 1000
       FROM payment_replays
       WHERE transaction_id > ? AND transaction_id <= ? AND transaction_id REGEXP '^[0-9A-Fa-f]{64}$'
       ON DUPLICATE KEY UPDATE payments.txid = payments.txid`,
      [after, last],
    );
    after = last;
  }
}
