import { existsSync } from 'node:fs';
import path from 'node:path';
import { createLogger, mergeEnvFile, readConfig } from '@messagebox/shared';
import { type MessageStore, openStore } from '@messagebox/store';

/**
 * This command migrates the configured database to the schema of this version. It is safe to run twice or concurrently.
 * With `--allow-newer` it also ends with 0 when a newer version has migrated the database, which this version then works
 * with: after a step back.
 */
try {
  const config = readConfig(mergeEnvFile(process.env, path.resolve('.env')));
  const embedded = path.join(config.dataDir, 'messagebox.sqlite');
  if (config.store === undefined && !existsSync(embedded)) {
    throw new Error(`KNEX_DB_CONNECTION is missing, and no embedded database exists at ${embedded}`);
  }
  const store = openStore(
    config.store ?? { client: 'better-sqlite3', filename: embedded },
    createLogger('migrate', config.logLevel),
  );
  try {
    process.stdout.write(`${await migrate(store, process.argv.includes('--allow-newer'))}\n`);
  } finally {
    // Open connections would keep this process alive, also after a failure.
    await store.close();
  }
} catch (error) {
  process.stderr.write(`Could not migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function migrate(store: MessageStore, allowNewer: boolean): Promise<string> {
  const { current, unknown } = await store.getSchemaStatus();
  if (allowNewer && current && unknown.length > 0) {
    return `The database has the schema of a newer version, and keeps it: ${unknown.join(', ')}`;
  }
  const done = await store.migrate();
  return done.length === 0 ? 'The database is up to date.' : `Migrated: ${done.join(', ')}`;
}
