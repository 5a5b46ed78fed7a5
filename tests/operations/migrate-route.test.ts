import { openStore } from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import { createRedisPrefix, describeWithRedis, getRedisUrl } from '@messagebox/test-support/with-redis';
import { type ServiceProcess, startService } from '../support/service-process.js';

const KEY = 'a key of more than ten characters';

describeWithMysql('POST /migrate', () => {
  describeWithRedis('on a database without a schema', () => {
    const prefix = createRedisPrefix();
    let database: Awaited<ReturnType<typeof createMysqlDatabase>>;
    let service: ServiceProcess;
    beforeEach(async () => {
      database = await createMysqlDatabase();
    });
    afterEach(async () => {
      await service.stop();
      await database.drop();
    });

    const start = async (migrateKey: string) => {
      service = await startService({
        name: 'api',
        env: {
          HOST: '127.0.0.1',
          SERVER_PRIVATE_KEY: '77'.repeat(32),
          KNEX_DB_CONNECTION: JSON.stringify(database.url),
          REDIS_URL: getRedisUrl(),
          REDIS_PREFIX: prefix,
          MIGRATE_KEY: migrateKey,
        },
      });
    };
    const migrate = async (body: string) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${service.url}/migrate`, { method: 'POST', headers, body });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const schema = async () => {
      const store = openStore(database.config);
      try {
        return await store.getSchemaStatus();
      } finally {
        await store.close();
      }
    };
    const ready = async () => (await fetch(`${service.url}/health/ready`)).json();

    test('runs pending migrations once, for the right key', async () => {
      await start(KEY);
      expect(await ready()).toMatchObject({
        status: 'not ready',
        checks: { database: expect.stringContaining('npm run migrate') },
      });
      const first = await migrate(JSON.stringify({ migratekey: KEY }));
      expect(first).toMatchObject({ status: 200, body: { status: 'success' } });
      expect(first.body['migrations']).toContain('2022-12-28-001-initial-migration.js');
      expect(await migrate(JSON.stringify({ migratekey: KEY }))).toEqual({
        status: 200,
        body: { status: 'success', migrations: [] },
      });
      expect((await schema()).current).toBe(true);
      expect(await ready()).toMatchObject({ status: 'ready' });
    });

    test('refuses every other key and changes nothing', async () => {
      await start(KEY);
      const refusal = {
        status: 401,
        body: { status: 'error', code: 'ERR_UNAUTHORIZED', description: expect.any(String) },
      };
      for (const migratekey of [`${KEY}x`, KEY.slice(1), '', null, 7, [KEY], undefined]) {
        expect(await migrate(JSON.stringify({ migratekey }))).toEqual(refusal);
      }
      expect((await migrate('{"migratekey"')).status).toBe(400);
      expect((await schema()).current).toBe(false);
      expect(service.logs.join()).not.toContain(KEY);
    });

    test('does nothing when the configured key is too short', async () => {
      await start('ten chars!');
      expect((await migrate('{"migratekey":"ten chars!"}')).status).toBe(401);
      expect((await schema()).current).toBe(false);
    });
  });
});
