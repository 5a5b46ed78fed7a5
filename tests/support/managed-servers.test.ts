import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import {
  describeWithManagedMariadb,
  describeWithManagedRedis,
  type ManagedServer,
  startMariadbServer,
  startRedisServer,
} from './managed-servers.js';

let server: ManagedServer | undefined;
afterEach(() => server?.close());

describeWithManagedRedis('a managed Redis server', () => {
  test('stops and starts on its port', async () => {
    server = await startRedisServer();
    const url = server?.url ?? '';
    const ping = async (): Promise<string> => {
      const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => {});
      try {
        await redis.connect();
        return await redis.ping();
      } finally {
        redis.disconnect();
      }
    };
    expect(await ping()).toBe('PONG');
    await server?.stop();
    await expect(ping()).rejects.toThrow();
    await server?.start();
    expect(await ping()).toBe('PONG');
  });
});

describeWithManagedMariadb('a managed MariaDB server', () => {
  test('hangs, resumes, and keeps committed rows when it is killed', async () => {
    server = await startMariadbServer();
    const url = server?.url ?? '';
    const first = await createConnection(url);
    first.on('error', () => {});
    await first.query('CREATE DATABASE d');
    await first.query('CREATE TABLE d.t (n INT)');
    server?.pause();
    const answered = jest.fn();
    const insert = first.query('INSERT INTO d.t VALUES (7)').then(answered);
    await expect(createConnection({ uri: url, connectTimeout: 200 })).rejects.toThrow(/ETIMEDOUT/);
    expect(answered).not.toHaveBeenCalled();
    server?.resume();
    await insert;
    await server?.kill();
    await server?.start();
    const second = await createConnection(url);
    expect((await second.query('SELECT n FROM d.t'))[0]).toEqual([{ n: 7 }]);
    await second.end();
  });
});
