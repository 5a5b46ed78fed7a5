import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { upgradeMysqlSchema } from './mysql-upgrade.js';
import { createSqliteSchema } from './sqlite-schema.js';

export { noWayBack as down } from './no-way-back.js';

/**
 * Names compare byte by byte from here on, and messages have an order of their own.
 *
 * - Message ids, box names, keys and push tokens become VARBINARY (BLOB on SQLite) holding UTF-8: no collation folds
 *   case, accents or trailing spaces. A name of 255 code points takes up to 1,020 bytes.
 * - `messages.id` is the order of storing, and an id is unique per recipient instead of globally.
 * - `message_permissions.sender` is '' for a box-wide row, not NULL: a unique key lets any number of NULLs through,
 *   which is how the reference came to have several box-wide rows for one box. The newest of those stays.
 * - Times have milliseconds, in UTC.
 * - `request_claims` remembers signed requests that have been used.
 */
export async function up(knex: Knex): Promise<void> {
  await (isMysql(knex) ? upgradeMysqlSchema(knex) : createSqliteSchema(knex));
}
