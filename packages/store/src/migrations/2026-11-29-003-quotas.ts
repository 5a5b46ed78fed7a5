import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasMysqlIndex, queryMysqlRows, readColumns } from './mysql-tables.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** Each batch commits by itself, so that others don't wait long for its rows. */
export const config = { transaction: false };

/** Rows in a batch. Their bodies are read. */
const BATCH_SIZE = 100;

/**
 * `messages.body_bytes`: the UTF-8 bytes of the body. Two indexes contain it, by which the usage of a recipient, of a sender
 * and of a pair is summed up without reading rows. The column is NULL in rows that an older version stores during an
 * upgrade; the next sum fills it in.
 *
 * MySQL and MariaDB add the column and the indexes while others read and write. The next run completes an interrupted one.
 */
export async function up(knex: Knex): Promise<void> {
  await addColumn(knex);
  await fillBodyBytes(knex);
  await addIndexes(knex);
}

const INDEXES = [
  ['messages_inbox_usage_index', 'recipient, sender, body_bytes'],
  ['messages_sender_usage_index', 'sender, body_bytes'],
] as const;

async function addColumn(knex: Knex): Promise<void> {
  const hasColumn = isMysql(knex)
    ? (await readColumns(knex, 'messages')).has('body_bytes')
    : await knex.schema.hasColumn('messages', 'body_bytes');
  if (hasColumn) return;
  await knex.raw(`ALTER TABLE messages ADD COLUMN body_bytes ${isMysql(knex) ? 'INT UNSIGNED' : 'INTEGER'} NULL`);
}

async function fillBodyBytes(knex: Knex): Promise<void> {
  const length = isMysql(knex) ? 'LENGTH(body)' : 'octet_length(body)';
  for (let after = 0; ; ) {
    const last = await findLastIdOfBatch(knex, after);
    if (last === undefined) return;
    await knex.raw(`UPDATE messages SET body_bytes = ${length} WHERE id > ? AND id <= ? AND body_bytes IS NULL`, [
      after,
      last,
    ]);
    after = last;
  }
}

/** The end of a batch is read, because ids have gaps, which are wide where messages are acknowledged soon. */
async function findLastIdOfBatch(knex: Knex, after: number): Promise<number | undefined> {
  const text = `SELECT MAX(id) AS last FROM
    (SELECT id FROM messages WHERE id > ? ORDER BY id LIMIT ${BATCH_SIZE}) AS first_rows`;
  const rows = isMysql(knex)
    ? await queryMysqlRows(knex, text, [after])
    : ((await knex.raw(text, [after])) as Record<string, unknown>[]);
  const last = rows[0]?.['last'];
  return last === null || last === undefined ? undefined : Number(last);
}

async function addIndexes(knex: Knex): Promise<void> {
  if (!isMysql(knex)) {
    for (const [name, columns] of INDEXES) {
      await knex.raw(`CREATE INDEX IF NOT EXISTS ${name} ON messages (${columns})`);
    }
    return;
  }
  const additions: string[] = [];
  for (const [name, columns] of INDEXES) {
    if (!(await hasMysqlIndex(knex, 'messages', name))) additions.push(`ADD INDEX ${name} (${columns})`);
  }
  // One statement, so that the table is read once.
  if (additions.length > 0) await knex.raw(`ALTER TABLE messages ${additions.join(', ')}`);
}
