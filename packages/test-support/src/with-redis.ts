import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { describeWhen } from './describe-when.js';

/** This run's Redis server, and a random prefix of the suite's own for its keys and channels. */
export interface TestRedis {
  readonly url: string;
  readonly prefix: string;
}

/** `describe` for suites that need a Redis server but leave it as it is; keys with their prefix go when they end. */
export function describeWithRedis(name: string, suite: (redis: TestRedis) => void): void {
  describeWhen(Boolean(process.env['TEST_REDIS_URL']), name, 'a Redis server (TEST_REDIS_URL)', () =>
    suite({ url: getRedisUrl(), prefix: createRedisPrefix() }),
  );
}

/** The address of this run's Redis server. */
export function getRedisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (!url) throw new Error('TEST_REDIS_URL is not set.');
  return url;
}

/** A random prefix for keys and channels. To be called in a `describe`: its keys are removed when the suite ends. */
export function createRedisPrefix(): string {
  const prefix = `mb_test_${randomBytes(8).toString('hex')}:`;
  afterAll(() => removeRedisKeys(getRedisUrl(), prefix));
  return prefix;
}

/** Removes all keys that begin with a prefix. */
export async function removeRedisKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  try {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1000);
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
  } finally {
    redis.disconnect();
  }
}
