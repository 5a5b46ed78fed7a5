import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  connectRedis,
  createLogger,
  type RateLimit,
  RateLimits,
  type RedisClients,
  RedisCounts,
  TooManyRequestsError,
} from '@messagebox/shared';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { Redis } from 'ioredis';
import { waitUntil } from '../acceptance/history.js';
import { describeWithManagedRedis, type ManagedServer, startRedisServer } from '../support/managed-servers.js';

/** The window is so long that none ends during a test. */
const RATE = { count: 200, seconds: 3_600 };

interface Instance {
  readonly requests: RateLimit;
  readonly hits: string[];
  readonly lines: string[];
  close(): void;
}

function instanceOn(commands: Redis, prefix: string, close: () => void): Instance {
  const [hits, lines]: [string[], string[]] = [[], []];
  const log = createLogger('test', 'info', { write: (line) => void lines.push(line) });
  const rates = new RateLimits({ onHit: (limit) => hits.push(limit), counts: new RedisCounts(commands, prefix, log) });
  return {
    requests: rates.openShared('requests', RATE),
    hits,
    lines,
    close() {
      rates.close();
      close();
    },
  };
}

async function instanceAt(url: string, prefix: string): Promise<Instance> {
  const clients: RedisClients = await connectRedis(url, createLogger('test', 'info', { write: () => undefined }));
  return instanceOn(clients.commands, prefix, () => clients.close());
}

/** @returns how many were admitted before the first was refused */
async function admittedUntilRefused({ requests }: Instance, key: string): Promise<number> {
  let count = 0;
  await waitUntil('it is refused', async () => {
    try {
      await requests.admit(key);
      count += 1;
      return false;
    } catch (error) {
      if (!(error instanceof TooManyRequestsError)) throw error;
      return true;
    }
  });
  return count;
}

async function admitAll({ requests }: Instance, key: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await requests.admit(key);
}

describeWithRedis('rates that instances share', ({ url, prefix }) => {
  let instances: Instance[];
  beforeEach(async () => {
    instances = await Promise.all([instanceAt(url, prefix), instanceAt(url, prefix)]);
  });
  afterEach(() => {
    for (const instance of instances) instance.close();
  });

  test('one instance refuses what another has counted', async () => {
    const [one, other] = instances as [Instance, Instance];
    await admitAll(one, 'alice', 195);
    const redis = new Redis(url);
    await waitUntil('it is told', async () => (await redis.get(`${prefix}:rate:requests:alice`)) === '195');
    // Without sharing, the instance would admit 200.
    expect(await admittedUntilRefused(other, 'alice')).toBeLessThan(100);
    expect(other.hits).toEqual(['requests']);
    await other.requests.admit('bob');
    const ttl = await redis.ttl(`${prefix}:rate:requests:alice`);
    redis.disconnect();
    expect(ttl).toBeGreaterThan(3_000);
    expect(ttl).toBeLessThanOrEqual(3_600);
  });

  test('counts many keys at once, including long ones', async () => {
    const [one, other] = instances as [Instance, Instance];
    const keys = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(i % 2 === 0 ? 600 : 66, 'x'));
    await Promise.all(keys.map((key) => one.requests.admit(key, 195)));
    const counted = await Promise.all(keys.map((key) => admittedUntilRefused(other, key)));
    expect(Math.max(...counted)).toBeLessThan(100);
  });
});

describeWithManagedRedis('rates while Redis', () => {
  let redis: ManagedServer;
  let instance: Instance;
  let other: Instance;
  beforeAll(async () => {
    redis = (await startRedisServer()) as ManagedServer;
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    [instance, other] = await Promise.all([instanceAt(redis.url, 'mb'), instanceAt(redis.url, 'mb')]);
  });
  afterEach(() => {
    instance.close();
    other.close();
  });

  test.each([
    ['is killed', () => redis.kill(), () => redis.start()],
    ['hangs', async () => redis.pause(), async () => redis.resume()],
  ])('%s: each instance counts alone, and they share again afterwards', async (what, end, begin) => {
    await admitAll(instance, `${what} before`, 50);
    await end();
    const key = `${what} meanwhile`;
    await admitAll(instance, key, RATE.count);
    await expect(instance.requests.admit(key)).rejects.toThrow(TooManyRequestsError);
    await waitUntil('it has noticed', async () => {
      await instance.requests.admit(`${what} probe`, 3).catch(() => undefined);
      return instance.lines.some((line) => line.includes('not shared'));
    });
    await begin();
    await waitUntil('they share again', async () => {
      await instance.requests.charge(`${what} after`, 3);
      return instance.lines.some((line) => line.includes('shared with other instances again'));
    });
    await instance.requests.charge(`${what} later`, 195);
    expect(await admittedUntilRefused(other, `${what} later`)).toBeLessThan(100);
    expect(instance.lines.filter((line) => line.includes('not shared'))).toHaveLength(1);
  });
});

test('a Redis that accepts connections and never answers delays nothing', async () => {
  const accepted: Socket[] = [];
  const server = createServer((socket) => void accepted.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // The options of connectRedis, which itself would wait for an answer.
  const options = { enableOfflineQueue: false, maxRetriesPerRequest: 0, disconnectTimeout: 50 };
  const commands = new Redis(port, '127.0.0.1', options);
  commands.on('error', () => undefined);
  const instance = instanceOn(commands, 'mb', () => commands.disconnect());
  await admitAll(instance, 'alice', RATE.count);
  await expect(instance.requests.admit('alice')).rejects.toThrow(TooManyRequestsError);
  await waitUntil('it has noticed', () => instance.lines.length > 0);
  expect(accepted.length).toBeGreaterThan(0);
  await admitAll(instance, 'bob', RATE.count);
  expect(instance.lines).toHaveLength(1);
  const ended = [once(commands, 'end'), once(server, 'close')];
  for (const socket of accepted) socket.destroy();
  instance.close();
  server.close();
  await Promise.all(ended);
});
