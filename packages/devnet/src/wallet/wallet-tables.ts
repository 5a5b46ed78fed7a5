import type { StorageKnex } from '@bsv/wallet-toolbox/out/src/storage/StorageKnex.js';
import type { Toolbox } from '@messagebox/transactions';
import type { Knex } from 'knex';

/** Bytes of the longest script that is stored in a column. Longer scripts are read from the transaction. The toolbox's value. */
const MAX_OUTPUT_SCRIPT = 1024;
const STORAGE_NAME = 'messagebox';

/**
 * Creates or upgrades the tables of the toolbox's wallet. The toolbox reads the server's version and stops on MariaDB, where
 * its SQL works. So it gets the answer of a MySQL server.
 *
 * @param storageIdentity the name of a new storage in the wallet's records: 66 hex characters
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
        return { up: (knex: Knex) => up(toMysqlKnex(knex)), ...(down && { down }) };
      },
    },
  });
}

function toMysqlKnex(knex: Knex): Knex {
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
