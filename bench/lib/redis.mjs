import { createRequire } from 'node:module';

/** Opens a client of Redis. The driver is that of the services, and no dependency of ours. @param {string} url */
export function openRedis(url) {
  const require = createRequire(import.meta.resolve('@messagebox/shared'));
  const { Redis } = require(String('ioredis'));
  return new Redis(url);
}

/** Removes all keys that begin with a prefix. @param {string} url @param {string} prefix */
export async function removeRedisKeys(url, prefix) {
  const redis = openRedis(url);
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
