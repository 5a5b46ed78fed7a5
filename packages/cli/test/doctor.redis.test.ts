import { findFreePort } from '@messagebox/test-kit/ports';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { Redis } from 'ioredis';
import { diagnose } from './support/doctor.ts';
import { describeWithOwnRedis, type OwnRedis, startOwnRedis } from './support/redis-server.ts';
import { startSilentServer } from './support/silent-server.ts';

describeWithOwnRedis('doctor and Redis', () => {
  let folder: ReturnType<typeof createTemporaryFolder>;
  let server: OwnRedis;

  beforeAll(async () => {
    folder = createTemporaryFolder();
    server = await startOwnRedis();
  });

  afterAll(async () => {
    await server?.close();
    folder?.remove();
  });

  /** Standalone with an embedded database and with Redis. */
  const toEnv = (url: string) => ({ DATA_DIR: folder.path, SERVER_PRIVATE_KEY: '11'.repeat(32), REDIS_URL: url });

  async function run(...commands: (readonly string[])[]): Promise<void> {
    const redis = new Redis(server.url);
    try {
      for (const [command = '', ...args] of commands) await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }

  test('doctor names nothing for a sound Redis, and leaves nothing there', async () => {
    const { code, problems, find } = await diagnose(toEnv(server.url));

    expect(problems).toEqual([]);
    expect(code).toBe(0);
    for (const name of ['Redis', 'Redis version', 'Redis eviction', 'Redis persistence', 'Redis writes']) {
      expect(find(name)).toMatchObject({ name, verdict: 'ok' });
    }
    const redis = new Redis(server.url);
    expect(await redis.dbsize()).toBe(0);
    redis.disconnect();
  });

  test('doctor names a wrong password and a missing one, and prints neither', async () => {
    const own = await startOwnRedis(['--requirepass', 'right-password']);
    try {
      const [wrong, missing, right] = await Promise.all([
        diagnose(toEnv(`redis://:wrong-password@127.0.0.1:${own.port}`)),
        diagnose(toEnv(own.url)),
        diagnose(toEnv(`redis://:right-password@127.0.0.1:${own.port}`)),
      ]);

      for (const { code, problems, find, checks } of [wrong, missing]) {
        expect(problems).toEqual(['Redis: fail']);
        expect(code).toBe(1);
        expect(find('Redis').seen).toContain('refuses the user or the password');
        expect(JSON.stringify(checks)).not.toContain('wrong-password');
      }
      expect(right.problems).toEqual([]);
    } finally {
      await own.close();
    }
  });

  test.each(['allkeys-lru', 'volatile-ttl'])('doctor names the eviction policy %s', async (policy) => {
    await run(['CONFIG', 'SET', 'maxmemory-policy', policy]);
    try {
      const { problems, find } = await diagnose(toEnv(server.url));

      expect(problems).toEqual(['Redis eviction: fail']);
      expect(find('Redis eviction')).toMatchObject({
        seen: expect.stringContaining(policy),
        advice: expect.stringContaining('noeviction'),
      });
    } finally {
      await run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    }
  });

  test('doctor warns of a Redis that loses its data in a restart', async () => {
    const own = await startOwnRedis(['--appendonly', 'no']);
    try {
      const { code, problems } = await diagnose(toEnv(own.url));

      expect(problems).toEqual(['Redis persistence: warn']);
      expect(code).toBe(0);
    } finally {
      await own.close();
    }
  });

  test('doctor names a user who may not use sharded pub/sub', async () => {
    await run(['ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-ssubscribe']);

    const { problems, find } = await diagnose(toEnv(`redis://limited:secret@127.0.0.1:${server.port}`));

    expect(problems).toEqual(['Redis version: fail']);
    expect(find('Redis version').seen).toContain('sharded pub/sub does not work');
  });

  test('doctor names a user who may not write', async () => {
    await run(['ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '&*', '+@all', '-@write']);

    const { problems } = await diagnose(toEnv(`redis://reader:secret@127.0.0.1:${server.port}`));

    expect(problems).toEqual(['Redis writes: fail']);
  });

  test('doctor names a replica', async () => {
    const replica = await startOwnRedis(['--replicaof', '127.0.0.1', `${server.port}`]);
    try {
      const { problems, find } = await diagnose(toEnv(replica.url));

      expect(problems).toEqual(['Redis writes: fail']);
      expect(find('Redis writes').seen).toContain('replica');
    } finally {
      await replica.close();
    }
  });

  test('doctor names a port where nothing listens, and one that accepts and never answers', async () => {
    const silent = await startSilentServer();
    try {
      const [closed, hanging] = await Promise.all([
        diagnose(toEnv(`redis://127.0.0.1:${await findFreePort()}`)),
        diagnose(toEnv(`redis://127.0.0.1:${silent.port}`), { limit: '1' }),
      ]);

      for (const { problems } of [closed, hanging]) expect(problems).toEqual(['Redis: fail']);
      expect(closed.find('Redis').seen).toContain('nothing listens there');
      expect(hanging.find('Redis').seen).toContain('does not answer in time');
    } finally {
      await silent.close();
    }
  });
});
