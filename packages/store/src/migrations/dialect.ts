import type { Knex } from 'knex';

/** Whether the database is MySQL or MariaDB; otherwise it is SQLite. */
export function isMysql(knex: Knex): boolean {
  return knex.client.config.client === 'mysql2';
}
