import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { queryMysqlRows, readColumns } from './mysql-tables.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** Each statement commits by itself, so that no lock is held for long. The next run completes an interrupted one. */
export const config = { transaction: false };

/**
 * The state of boxes and of sends.
 *
 * - `receipts`: what became of messages that are gone. `handle` is what `receipt-handles.ts` says, `state` is 1 (acknowledged)
 *   or 2 (expired), `expires_at` is in seconds since 1970.
 * - `message_permissions.receipts`: whether senders get receipts; NULL: not decided.
 * - `messages_box_status_index`, from which alone a box is counted. It stands beside `messages_box_order_index`, which must not
 *   be replaced: the foreign key of `messages` uses it, and MySQL 9.7 no longer enforces a foreign key whose index was dropped,
 *   also when the same statement adds another one. Messages could then be stored in a box that is gone, where nobody finds them.
 * - `messages_sender_usage_index` gets the message id, so that a sender's message is found from the index alone. It keeps its
 *   name, by which the versions before read it.
 *
 * MySQL and MariaDB add the column without touching a row, and build the indexes while others read and write.
 */
export async function up(knex: Knex): Promise<void> {
  for (const statement of isMysql(knex) ? MYSQL : SQLITE) await knex.raw(statement);
  await addReceiptsColumn(knex);
  for (const [name, columns] of INDEXES) await widenIndex(knex, name, columns);
}

const MYSQL = [
  `CREATE TABLE IF NOT EXISTS receipts (
  handle BINARY(20) NOT NULL PRIMARY KEY,
  state TINYINT UNSIGNED NOT NULL,
  expires_at INT UNSIGNED NOT NULL,
  KEY receipts_expires_at_index (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4`,
];

const SQLITE = [
  `CREATE TABLE IF NOT EXISTS receipts (
  handle BLOB NOT NULL PRIMARY KEY,
  state INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID`,
  'CREATE INDEX IF NOT EXISTS receipts_expires_at_index ON receipts (expires_at)',
];

const INDEXES = [
  ['messages_box_status_index', ['messageBoxId', 'id', 'body_bytes', 'expires_at', 'created_at', 'carries_payment']],
  ['messages_sender_usage_index', ['sender', 'messageId', 'body_bytes']],
] as const;

async function addReceiptsColumn(knex: Knex): Promise<void> {
  const exists = isMysql(knex)
    ? (await readColumns(knex, 'message_permissions')).has('receipts')
    : await knex.schema.hasColumn('message_permissions', 'receipts');
  if (exists) return;
  await knex.raw(`ALTER TABLE message_permissions ADD COLUMN receipts ${isMysql(knex) ? 'TINYINT' : 'INTEGER'} NULL`);
}

/** Gives the index these columns, unless it has them. One that is there is replaced in one step. */
async function widenIndex(knex: Knex, name: string, columns: readonly string[]): Promise<void> {
  if (isMysql(knex)) {
    const current = await readMysqlIndex(knex, name);
    if (current.join() === columns.join()) return;
    const drop = current.length === 0 ? '' : `DROP INDEX ${name}, `;
    await knex.raw(
      `ALTER TABLE messages ${drop}ADD INDEX ${name} (${columns.join(', ')}), ALGORITHM=INPLACE, LOCK=NONE`,
    );
    return;
  }
  const rows = (await knex.raw('SELECT name FROM pragma_index_info(?) ORDER BY seqno', [name])) as { name: string }[];
  if (rows.map((row) => row.name).join() === columns.join()) return;
  await knex.transaction(async (transaction) => {
    await transaction.raw(`DROP INDEX IF EXISTS ${name}`);
    await transaction.raw(`CREATE INDEX ${name} ON messages (${columns.join(', ')})`);
  });
}

/** The columns of an index of `messages` in their order; empty when there is no such index. */
async function readMysqlIndex(knex: Knex, name: string): Promise<string[]> {
  const rows = await queryMysqlRows(
    knex,
    `SELECT column_name AS name FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND table_name = 'messages' AND index_name = ? ORDER BY seq_in_index`,
    [name],
  );
  return rows.map((row) => String(row['name']));
}
