import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createKnex, openStore, type StoreConfig } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';

const command = resolve(import.meta.dirname, '..', '..', 'services', 'api', 'dist', 'migrate.js');

describe('the migration command', () => {
  const folder = createTemporaryFolder();
  const config = { client: 'better-sqlite3', filename: join(folder.path, 'messagebox.sqlite') } satisfies StoreConfig;
  const env = { KNEX_DB_CLIENT: config.client, KNEX_DB_CONNECTION: JSON.stringify({ filename: config.filename }) };
  const migrate = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, output: stdout + stderr };
  };
  /** What a newer version would have recorded. */
  const record = async (change: 'insert' | 'delete', name: string) => {
    const knex = createKnex(config);
    try {
      if (change === 'insert') await knex('knex_migrations').insert({ name, batch: 9, migration_time: new Date() });
      else await knex('knex_migrations').where({ name }).delete();
    } finally {
      await knex.destroy();
    }
  };
  beforeEach(async () => {
    const store = openStore(config);
    await store.migrate();
    await store.close();
  });
  afterAll(() => folder.remove());

  test('says that there is nothing to do', () => {
    for (const args of [[], ['--allow-newer']]) {
      expect(migrate(...args)).toEqual({ status: 0, output: 'The database is up to date.\n' });
    }
  });

  test('refuses the schema of a newer version, and with --allow-newer keeps it', async () => {
    await record('insert', '2099-01-01-001-later');
    expect(migrate()).toEqual({ status: 1, output: expect.stringContaining('newer version') });
    expect(migrate('--allow-newer')).toEqual({
      status: 0,
      output: 'The database has the schema of a newer version, and keeps it: 2099-01-01-001-later\n',
    });
    await record('delete', '2099-01-01-001-later');
  });

  test('refuses a database that lacks something of its own, also with --allow-newer', async () => {
    const own = '2026-11-30-001-push-deliveries';
    await record('insert', '2099-01-01-001-later');
    await record('delete', own);
    expect(migrate('--allow-newer')).toEqual({ status: 1, output: expect.stringContaining('newer version') });
    await record('delete', '2099-01-01-001-later');
    await record('insert', own);
  });
});
