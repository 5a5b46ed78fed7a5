import type { Knex } from 'knex';
import { isMysql } from './dialect.js';
import { hasMysqlIndex } from './mysql-tables.js';

/** Whether the table has an index of this name, on MySQL, MariaDB or SQLite. */
export async function hasIndex(knex: Knex, table: string, name: string): Promise<boolean> {
  if (isMysql(knex)) return hasMysqlIndex(knex, table, name);
  const found: unknown[] = await knex.from('sqlite_master').where({ type: 'index', name }).select(knex.raw('1'));
  return found.length > 0;
}
