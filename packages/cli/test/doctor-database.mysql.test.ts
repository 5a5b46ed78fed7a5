import { MIGRATION_NAMES, openStore } from '@messagebox/store';
import { findFreePort } from '@messagebox/test-kit/ports';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import { type Connection, createConnection } from 'mysql2/promise';
import { diagnose } from './support/doctor.ts';
import { startSilentServer } from './support/silent-server.ts';

describeWithMysql('doctor and the database', () => {
  let database: TestDatabase;
  let admin: Connection;
  let folder: ReturnType<typeof createTemporaryFolder>;
  let silent: Awaited<ReturnType<typeof startSilentServer>>;
  const users: string[] = [];

  beforeEach(async () => {
    folder = createTemporaryFolder();
    database = await createMysqlDatabase();
    admin = await createConnection({ uri: database.url });
    silent = await startSilentServer();
    const store = openStore(database.config);
    await store.migrate();
    await store.close();
  });

  afterEach(async () => {
    for (const user of users.splice(0)) await admin.query(`DROP USER IF EXISTS ${user}`);
    await admin.end();
    await database.drop();
    await silent.close();
    folder.remove();
  });

  /** A scaled deployment; its Redis is looked at elsewhere. */
  const toEnv = (url: string, more: Record<string, string> = {}) => ({
    DATA_DIR: folder.path,
    SERVER_PRIVATE_KEY: '11'.repeat(32),
    KNEX_DB_CONNECTION: JSON.stringify(url),
    ...more,
  });
  const withRedis = async () => ({ REDIS_URL: `redis://127.0.0.1:${await findFreePort()}` });

  test('doctor names nothing for a sound database', async () => {
    const { code, problems, find } = await diagnose(toEnv(database.url));

    expect(problems).toEqual([]);
    expect(code).toBe(0);
    for (const name of [
      'database',
      'database version',
      'database schema',
      'database character set',
      'database clock',
      'database writes',
      'database limits',
    ]) {
      expect(find(name)).toMatchObject({ name, verdict: 'ok' });
    }
  });

  const change = (url: string, set: (url: URL) => unknown): string => {
    const changed = new URL(url);
    set(changed);
    return changed.href;
  };

  test.each([
    ['a wrong password', (url: URL) => Object.assign(url, { password: 'wrong' }), /refuses the user or the password/],
    [
      'a database that does not exist',
      (url: URL) => Object.assign(url, { pathname: '/mb_test_nowhere' }),
      /no database of this name/,
    ],
  ])('doctor names %s, and nothing else', async (_title, set, seen) => {
    const { code, problems, find } = await diagnose(toEnv(change(database.url, set)));

    expect(problems).toEqual(['database: fail']);
    expect(code).toBe(1);
    expect(find('database').seen).toMatch(seen);
    expect(JSON.stringify(find('database'))).not.toContain('wrong"');
  });

  test('doctor names a port where nothing listens', async () => {
    const port = await findFreePort();

    const { problems, find } = await diagnose(
      toEnv(change(database.url, (url) => Object.assign(url, { port: `${port}` }))),
    );

    expect(problems).toEqual(['database: fail']);
    expect(find('database').seen).toContain('nothing listens there');
  });

  test('doctor names a port that accepts and never answers, and ends in time', async () => {
    const url = change(database.url, (changed) => {
      changed.hostname = '127.0.0.1';
      changed.port = `${silent.port}`;
    });

    const { problems, find } = await diagnose(toEnv(url), { limit: '1' });

    expect(problems).toEqual(['database: fail']);
    expect(find('database').seen).toContain('does not answer in time');
  });

  test('doctor names a schema that is older than the code', async () => {
    const last = MIGRATION_NAMES.at(-1);
    await admin.query('DELETE FROM knex_migrations WHERE name = ?', [last]);

    const { problems, find } = await diagnose(toEnv(database.url, await withRedis()));

    expect(problems).toEqual(['database schema: fail', 'Redis: fail']);
    expect(find('database schema')).toMatchObject({
      seen: `1 migrations are missing: ${last}`,
      advice: expect.stringContaining('npm run migrate'),
    });
  });

  test('doctor names a schema that a newer version has migrated', async () => {
    await admin.query('INSERT INTO knex_migrations (name, batch) VALUES (?, 99)', ['2030-01-01-001-future']);

    const { problems, find } = await diagnose(toEnv(database.url));

    expect(problems).toEqual(['database schema: fail']);
    expect(find('database schema').seen).toContain('2030-01-01-001-future');
  });

  test('doctor names a table in latin1', async () => {
    await admin.query('ALTER TABLE messages CONVERT TO CHARACTER SET latin1');

    const { problems, find } = await diagnose(toEnv(database.url));

    expect(problems).toEqual(['database character set: fail']);
    expect(find('database character set').seen).toContain('messages.body (latin1)');
  });

  test('doctor warns of a database whose default is latin1', async () => {
    await admin.query(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} CHARACTER SET latin1`);

    const { code, problems, find } = await diagnose(toEnv(database.url));

    expect(problems).toEqual(['database character set: warn']);
    expect(code).toBe(0);
    expect(find('database character set').seen).toContain('latin1');
  });

  test('doctor names a clock that is two minutes off', async () => {
    const { now } = Date;
    const spy = jest.spyOn(Date, 'now').mockImplementation(() => now() + 120_000);
    try {
      const { problems, find } = await diagnose(toEnv(database.url));

      expect(problems).toEqual(['database clock: fail']);
      expect(find('database clock').seen).toMatch(/1[12]\d s behind this host's/);
    } finally {
      spy.mockRestore();
    }
  });

  test('doctor names a user that may only read', async () => {
    const user = `'mb_${Math.random().toString(36).slice(2, 10)}'@'%'`;
    users.push(user);
    await admin.query(`CREATE USER ${user} IDENTIFIED BY 'reader'`);
    await admin.query(`GRANT SELECT ON ${new URL(database.url).pathname.slice(1)}.* TO ${user}`);
    const url = change(database.url, (changed) => {
      changed.username = user.split("'")[1] ?? '';
      changed.password = 'reader';
    });

    const { problems, find } = await diagnose(toEnv(url));

    expect(problems).toEqual(['database writes: fail']);
    expect(find('database writes').advice).toContain('GRANT');
  });

  test('doctor names a pool that is larger than the server allows', async () => {
    const [rows] = await admin.query('SELECT @@max_connections AS max');
    const max = Number((rows as { max: unknown }[])[0]?.max);

    const { problems, find } = await diagnose(toEnv(database.url, { DB_POOL_SIZE: `${Math.min(500, max)}` }));

    expect(problems).toEqual(['database limits: fail']);
    expect(find('database limits').seen).toContain(`max_connections is ${max}`);
  });

  test('doctor names bodies that are larger than a statement may be', async () => {
    const { problems, find } = await diagnose(toEnv(database.url, { MAX_BODY_BYTES: '1073741824' }));

    expect(problems).toEqual(['database limits: fail']);
    expect(find('database limits').seen).toContain('max_allowed_packet');
  });
});
