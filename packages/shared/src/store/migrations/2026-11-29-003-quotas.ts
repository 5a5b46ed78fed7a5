import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { columnsOf, hasIndex, mysqlRows } from './mysql-tables.js';

export { noWayBack as down } from './no-way-back.js';

/** Each portion commits by itself, so that nobody waits long for rows that are being filled. */
export const config = { transaction: false };

/** Rows in a portion: their bodies are read. */
const PORTION = 100;

/**
 * `messages.body_bytes`: bytes of UTF-8 of the body, in two indexes by which what is stored of a recipient, of a sender and
 * of a pair is summed up without reading a row. NULL in rows that a version before this one stores while instances are
 * replaced; whoever sums those up fills them.
 *
 * MySQL and MariaDB add the column and the indexes while others read and write. A run that was interrupted is completed by
 * the next one.
 */
export async function up(knex: Knex): Promise<void> {
  await addColumn(knex);
  await fill(knex);
  await addIndexes(knex);
}

const INDEXES = [
  ['messages_inbox_usage_index', 'recipient, sender, body_bytes'],
  ['messages_sender_usage_index', 'sender, body_bytes'],
] as const;

async function addColumn(knex: Knex): Promise<void> {
  const isThere = isMysql(knex)
    ? (await columnsOf(knex, 'messages')).has('body_bytes')
    : await knex.schema.hasColumn('messages', 'body_bytes');
  if (isThere) return;
  await knex.raw(`ALTER TABLE messages ADD COLUMN body_bytes ${isMysql(knex) ? 'INT UNSIGNED' : 'INTEGER'} NULL`);
}

async function fill(knex: Knex): Promise<void> {
  const length = isMysql(knex) ? 'LENGTH(body)' : 'octet_length(body)';
  for (let after = 0; ; ) {
    const last = await lastOfPortion(knex, after);
    if (last === undefined) return;
    await knex.raw(`UPDATE messages SET body_bytes = ${length} WHERE id > ? AND id <= ? AND body_bytes IS NULL`, [
      after,
      last,
    ]);
    after = last;
  }
}

/** Ids have gaps, wide ones where messages are acknowledged soon. */
async function lastOfPortion(knex: Knex, after: number): Promise<number | undefined> {
  const text = `SELECT MAX(id) AS last FROM
    (SELECT id FROM messages WHERE id > ? ORDER BY id LIMIT ${PORTION}) AS first_rows`;
  const rows = isMysql(knex)
    ? await mysqlRows(knex, text, [after])
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
    if (!(await hasIndex(knex, 'messages', name))) additions.push(`ADD INDEX ${name} (${columns})`);
  }
  // Together: the table is read once.
  if (additions.length > 0) await knex.raw(`ALTER TABLE messages ${additions.join(', ')}`);
}
