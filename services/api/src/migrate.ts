import { existsSync } from 'node:fs';
import path from 'node:path';
import { createLogger, openStore, readConfig, withEnvFile } from '@messagebox/shared';

/** The command that brings the configured database to the schema that this version needs. Safe to run twice, or at once. */
try {
  const config = readConfig(withEnvFile(process.env, path.resolve('.env')));
  const embedded = path.join(config.dataDir, 'messagebox.sqlite');
  if (config.store === undefined && !existsSync(embedded)) {
    throw new Error(`KNEX_DB_CONNECTION is missing, and there is no embedded database at ${embedded}`);
  }
  const store = openStore(
    config.store ?? { client: 'better-sqlite3', filename: embedded },
    createLogger('migrate', config.debug),
  );
  const done = await store.migrate();
  await store.close();
  process.stdout.write(done.length === 0 ? 'The database is up to date.\n' : `Migrated: ${done.join(', ')}\n`);
} catch (error) {
  process.stderr.write(`Could not migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
