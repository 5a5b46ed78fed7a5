import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { upgradeMysqlSchema } from './mysql-upgrade.js';
import { createSqliteSchema } from './sqlite-schema.js';

export { refuseToUndo as down } from './refuse-to-undo.js';

/**
 * Names compare byte by byte from this migration on, and messages have an order of their own.
 *
 * - Message ids, box names, keys and push tokens become VARBINARY (BLOB on SQLite) holding UTF-8: no collation folds
 *   case, accents or trailing spaces. A name of 255 code points takes up to 1,020 bytes.
 * - `messages.id` is the order of storing, and an id is unique per recipient instead of globally.
 * - `message_permissions.sender` is '' and not NULL for a box-wide row. A unique key allows any number of NULLs, so the
 *   reference server could store several box-wide rows for one box. The newest of them stays.
 * - Times have milliseconds, in UTC.
 * - `request_claims` records signed requests that have been used.
 */
export async function up(knex: Knex): Promise<void> {
  await (isMysql(knex) ? upgradeMysqlSchema(knex) : createSqliteSchema(knex));
}
