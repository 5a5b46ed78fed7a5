import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { readColumns } from './mysql-tables.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/** Each statement commits by itself. The next run completes an interrupted one. */
export const config = { transaction: false };

/**
 * `traceparent` in `push_outbox` and `push_deliveries`: the trace of the send, in the form of W3C Trace Context, so that the
 * push belongs to it. NULL when nothing is traced. Versions before this one neither read nor write it. MySQL and MariaDB add
 * the column without touching a row.
 */
export async function up(knex: Knex): Promise<void> {
  for (const table of ['push_outbox', 'push_deliveries']) {
    const exists = isMysql(knex)
      ? (await readColumns(knex, table)).has('traceparent')
      : await knex.schema.hasColumn(table, 'traceparent');
    if (!exists) await knex.raw(`ALTER TABLE ${table} ADD COLUMN traceparent ${isMysql(knex) ? MYSQL : 'TEXT NULL'}`);
  }
}

const MYSQL = 'CHAR(55) CHARACTER SET ascii COLLATE ascii_bin NULL';
