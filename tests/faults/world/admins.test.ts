import { once } from 'node:events';
import { Redis } from 'ioredis';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import {
  describeWithManagedMariadb,
  describeWithManagedRedis,
  type ManagedServer,
  startMariadbServer,
  startRedisServer,
} from '../../support/managed-servers.js';
import { DatabaseAdmin } from './database-admin.js';
import { RedisAdmin } from './redis-admin.js';

const INSERT = 'INSERT INTO messages (body) VALUES (?)';

describeWithManagedMariadb('the operator of a database', () => {
  let server: ManagedServer;
  let admin: DatabaseAdmin;
  let service: Connection;
  beforeAll(async () => {
    server = (await startMariadbServer()) as ManagedServer;
    admin = new DatabaseAdmin(server.url);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    service = await createConnection({ uri: await admin.createDatabase() });
    await service.query('CREATE TABLE messages (id INT AUTO_INCREMENT PRIMARY KEY, body TEXT)');
    await service.query(INSERT, ['first']);
  });
  afterEach(() => service.destroy());

  const count = async (): Promise<number> => {
    const [rows] = await service.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM messages');
    return Number(rows[0]?.['n']);
  };

  test('fills it: inserts are refused as with a full disk and lists go on, until it is emptied', async () => {
    await admin.fill();
    await expect(service.execute(INSERT, ['second'])).rejects.toMatchObject({ errno: 1114 });
    expect(await count()).toBe(1);
    await admin.empty();
    await service.execute(INSERT, ['third']);
    expect(await count()).toBe(2);
  });

  test('makes it read-only for services', async () => {
    await admin.run('SET GLOBAL read_only = 1');
    try {
      await expect(service.query(INSERT, ['second'])).rejects.toMatchObject({ errno: 1290 });
    } finally {
      await admin.run('SET GLOBAL read_only = 0');
    }
    await service.query(INSERT, ['third']);
    expect(await count()).toBe(2);
  });

  test('locks the messages: inserts wait until they are unlocked', async () => {
    await admin.lockMessages();
    const watcher = await createConnection({ uri: server.url });
    try {
      let isStored = false;
      const storing = service.query(INSERT, ['second']).then(() => {
        isStored = true;
      });
      let waiting = 0;
      while (waiting === 0) {
        const [rows] = await watcher.query<RowDataPacket[]>(
          "SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'",
        );
        waiting = rows.length;
      }
      expect(isStored).toBe(false);
      await admin.unlock();
      await storing;
    } finally {
      await admin.unlock();
      await watcher.end();
    }
    expect(await count()).toBe(2);
  });

  test('ends the connections of services', async () => {
    const ended = once(service, 'error');
    await admin.killConnections();
    await ended;
    await expect(service.query('SELECT 1')).rejects.toThrow();
  });

  test('begins with an empty database each time', async () => {
    await admin.createDatabase();
    const [rows] = await service.query<RowDataPacket[]>(
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'messagebox'",
    );
    expect(rows).toEqual([]);
  });
});

describeWithManagedRedis('the operator of a Redis', () => {
  let server: ManagedServer;
  let admin: RedisAdmin;
  beforeAll(async () => {
    server = (await startRedisServer()) as ManagedServer;
    admin = new RedisAdmin(server.url);
  });
  afterAll(() => server.close());

  test('ends subscribers, and leaves other connections', async () => {
    const [subscriber, commands] = [0, 1].map(() => new Redis(server.url, { retryStrategy: () => null }));
    try {
      await subscriber?.subscribe('channel');
      await commands?.ping();
      const ended = once(subscriber as Redis, 'end');
      await admin.killClients('pubsub');
      await ended;
      expect(await commands?.ping()).toBe('PONG');
    } finally {
      subscriber?.disconnect();
      commands?.disconnect();
    }
  });

  test('makes it refuse writes, and take them again', async () => {
    await admin.configure('min-replicas-to-write', '1');
    await expect(admin.run('SET', 'key', 'value')).rejects.toThrow('NOREPLICAS');
    await admin.configure('min-replicas-to-write', '0');
    expect(await admin.run('SET', 'key', 'value')).toBe('OK');
  });

  test('fails with the reason when there is no server', async () => {
    await server.kill();
    await expect(admin.run('PING')).rejects.toThrow();
    await server.start();
    expect(await admin.run('PING')).toBe('PONG');
  });
});
