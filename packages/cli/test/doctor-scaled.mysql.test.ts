import path from 'node:path';
import { openStore } from '@messagebox/store';
import { createTemporaryFolder, type ManagedProcess, startProcess } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import { diagnoseInProcess } from './support/doctor.ts';
import { type Edge, startEdge } from './support/edge.ts';
import { describeWithOwnRedis, type OwnRedis, startOwnRedis } from './support/redis-server.ts';

// Processes are started, and a busy machine takes its time.
jest.setTimeout(180_000);

const ROOT = path.join(__dirname, '../../..');

describeWithMysql('doctor and a scaled deployment', () => {
  describeWithOwnRedis('with a Redis of its own', () => {
    let folder: ReturnType<typeof createTemporaryFolder>;
    let database: TestDatabase;
    let redis: OwnRedis;
    let env: Record<string, string>;
    const processes: ManagedProcess[] = [];
    const edges: Edge[] = [];

    beforeAll(async () => {
      folder = createTemporaryFolder();
      [database, redis] = await Promise.all([createMysqlDatabase(), startOwnRedis()]);
      const store = openStore(database.config);
      await store.migrate();
      await store.close();
      env = {
        SERVER_PRIVATE_KEY: '12'.repeat(32),
        KNEX_DB_CONNECTION: JSON.stringify(database.url),
        REDIS_URL: redis.url,
        TRUST_PROXY: '1',
      };
    });

    afterAll(async () => {
      await Promise.all(edges.map((edge) => edge.close()));
      await Promise.all(processes.map((one) => one.terminate('SIGTERM')));
      await redis?.close();
      await database?.drop();
      folder?.remove();
    });

    async function startService(name: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
      const own = {
        PATH: process.env['PATH'] ?? '',
        HOST: '127.0.0.1',
        PORT: '0',
        INTERNAL_HOST: '127.0.0.1',
        INTERNAL_PORT: '0',
      };
      const child = startProcess(process.execPath, [path.join(ROOT, 'services', name, 'dist/main.js')], {
        cwd: folder.path,
        env: { ...own, ...env, ...more },
      });
      processes.push(child);
      const line = await child.waitForLine((text) => text.includes('"msg":"listening"'));
      return String((JSON.parse(line) as { url: unknown }).url);
    }

    async function openEdge(target: (asked: string) => string): Promise<string> {
      const edge = await startEdge({ target, certificate: 'sound.pem' });
      edges.push(edge);
      return edge.url;
    }

    const run = (origin: string) =>
      diagnoseInProcess(['--origin', origin], {
        cwd: folder.path,
        env: { ...env, NODE_EXTRA_CA_CERTS: path.join(__dirname, 'fixtures/tls/ca.pem') },
      });

    test('doctor names nothing for a sound one, and names realtime instances that do not know each other', async () => {
      const [apiA, apiB, realtimeA, realtimeB, stranger] = await Promise.all([
        startService('api'),
        startService('api'),
        startService('realtime'),
        startService('realtime'),
        startService('realtime', { REDIS_PREFIX: 'another' }),
      ]);
      let turn = 0;
      const takeTurns = (...targets: string[]) => targets[turn++ % targets.length] as string;
      const sound = await openEdge((asked) =>
        asked.startsWith('/socket.io/') ? takeTurns(realtimeA, realtimeB) : takeTurns(apiA, apiB),
      );
      const broken = await openEdge((asked) => {
        if (!asked.startsWith('/socket.io/')) return takeTurns(apiA, apiB);
        return asked.includes('sid=') ? stranger : realtimeA;
      });

      const good = await run(sound);
      const bad = await run(broken);

      expect(good.problems).toEqual([]);
      expect(good.code).toBe(0);
      for (const name of [
        'database',
        'database schema',
        'Redis',
        'Redis version',
        'origin certificate',
        'origin identity',
        'origin bodies',
        'websocket',
        'long polling',
        'instances',
        'client addresses',
        'client library',
      ]) {
        expect(good.find(name)).toMatchObject({ name, verdict: 'ok' });
      }
      expect(bad.problems).toEqual(['long polling: fail']);
      expect(bad.code).toBe(1);
      expect(bad.find('long polling')).toMatchObject({
        seen: expect.stringContaining('another instance does not know the connection'),
        advice: expect.stringContaining('REDIS_PREFIX'),
      });
    });
  });
});
