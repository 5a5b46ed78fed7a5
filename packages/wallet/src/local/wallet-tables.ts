import type { StorageKnex } from '@bsv/wallet-toolbox/out/src/storage/StorageKnex.js';
import type { Knex } from 'knex';
import type { Toolbox } from '../toolbox.js';

/** Longest output script that has a column; longer ones are read from their transaction. The toolbox's own figure. */
const MAX_OUTPUT_SCRIPT = 1024;
const STORAGE_NAME = 'messagebox';

/**
 * Makes or upgrades the tables of the toolbox's wallet. What it does on MySQL works on MariaDB as well, but it asks for
 * the server's version first and goes no further on MariaDB; here it is told that it is on MySQL.
 *
 * @param storageIdentity what this storage is called in the wallet's records, if it is made now: 66 hex characters
 */
export async function migrateWalletTables(
  { KnexMigrations }: Toolbox,
  records: StorageKnex,
  storageIdentity: string,
): Promise<void> {
  if (records.knex.client.config.client !== 'mysql2') {
    await records.migrate(STORAGE_NAME, storageIdentity);
    return;
  }
  const migrations = new KnexMigrations(records.chain, STORAGE_NAME, storageIdentity, MAX_OUTPUT_SCRIPT);
  await records.knex.migrate.latest({
    migrationSource: {
      getMigrations: () => migrations.getMigrations(),
      getMigrationName: (name: string) => migrations.getMigrationName(name),
      getMigration: async (name: string) => {
        const { up, down } = await migrations.getMigration(name);
        return { up: (knex: Knex) => up(asMysql(knex)), ...(down && { down }) };
      },
    },
  });
}

function asMysql(knex: Knex): Knex {
  return new Proxy(knex, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'raw') return value;
      return (sql: unknown, ...bindings: unknown[]): unknown => {
        if (/\bVERSION\(\)/.test(String(sql))) return Promise.resolve([[{ database_type: 'MySQL' }]]);
        return Reflect.apply(target.raw, target, [sql, ...bindings]);
      };
    },
  });
}
