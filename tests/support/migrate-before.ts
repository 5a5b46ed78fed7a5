import { MIGRATION_NAMES, migrationSource } from '@messagebox/store';
import type { Knex } from 'knex';

/** Brings a database to where the version before this migration left it. */
export async function migrateBefore(knex: Knex, migration: string): Promise<void> {
  const before = MIGRATION_NAMES.slice(0, MIGRATION_NAMES.indexOf(migration));
  const source = { ...migrationSource, getMigrations: async () => before };
  await knex.migrate.latest({ migrationSource: source, tableName: 'knex_migrations' });
}
