import type { Knex } from 'knex';

export function isMysql(knex: Knex): boolean {
  return knex.client.config.client === 'mysql2';
}
