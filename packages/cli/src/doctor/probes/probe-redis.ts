import { randomBytes } from 'node:crypto';
import type { Config } from '@messagebox/shared';
import { Redis, type RedisOptions } from 'ioredis';
import { describeNetworkError } from '../../client/network-errors.js';
import { NotApplicableError, ProbeError } from '../errors.js';
import { TimeLimitError, withTimeLimit } from '../time-limit.js';

/** What a Redis server says about itself. */
export interface RedisFacts {
  /** `7.2.4`. */
  readonly version: string;
  /** `noeviction`, `allkeys-lru`, … */
  readonly evictionPolicy: string;
  /** Whether it keeps its data over a restart; undefined: it does not say. */
  readonly isPersistent: boolean | undefined;
  /** Whether it is a replica, which takes no writes. */
  readonly isReplica: boolean;
  /** `works`, or why a message of sharded pub/sub did not arrive. */
  readonly shardedPubSub: string;
  /** Why a key could not be written. Undefined: it was written and removed again. */
  readonly writeProblem: string | undefined;
}

/** Asks the configured Redis server. @throws {ProbeError} when it can't be used, with what to do */
export async function probeRedis(config: Config, limitMs: number): Promise<RedisFacts> {
  const { redis } = config;
  if (redis === undefined) throw new NotApplicableError('REDIS_URL is not set');
  const options: RedisOptions = {
    lazyConnect: true,
    connectTimeout: limitMs,
    enableReadyCheck: false,
    enableOfflineQueue: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    autoResubscribe: false,
  };
  const [commands, subscriber] = [new Redis(redis.url, options), new Redis(redis.url, options)];
  const errors: unknown[] = [];
  for (const client of [commands, subscriber]) client.on('error', (error) => errors.push(error));
  try {
    return await withTimeLimit(limitMs, async () => {
      await commands.connect();
      await commands.ping();
      await subscriber.connect();
      return await readFacts(commands, subscriber, redis.prefix, limitMs / 2);
    });
  } catch (error) {
    // What ended the connection comes as an event; the command only says that it was ended.
    throw explain([...errors, error]);
  } finally {
    commands.disconnect();
    subscriber.disconnect();
  }
}

async function readFacts(commands: Redis, subscriber: Redis, prefix: string, limitMs: number): Promise<RedisFacts> {
  const info = parseInfo(await commands.info());
  return {
    version: info.get('redis_version') ?? 'unknown',
    evictionPolicy: info.get('maxmemory_policy') ?? 'unknown',
    isPersistent: info.get('aof_enabled') === '1' ? true : await hasSnapshots(commands),
    isReplica: info.get('role') === 'slave',
    shardedPubSub: await tryShardedPubSub(commands, subscriber, newName(prefix), limitMs),
    writeProblem: await tryWrite(commands, newName(prefix)),
  };
}

const newName = (prefix: string) => `${prefix}:doctor:${randomBytes(8).toString('hex')}`;

/** Hosted servers often refuse CONFIG. */
async function hasSnapshots(commands: Redis): Promise<boolean | undefined> {
  try {
    const [, save = ''] = (await commands.config('GET', 'save')) as string[];
    return save !== '';
  } catch {
    return undefined;
  }
}

async function tryShardedPubSub(commands: Redis, subscriber: Redis, channel: string, limitMs: number): Promise<string> {
  try {
    const arrived = new Promise<void>((resolve) => {
      subscriber.once('smessage', () => resolve());
    });
    await subscriber.ssubscribe(channel);
    await commands.spublish(channel, 'doctor');
    await withTimeLimit(limitMs, () => arrived);
    return 'works';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function tryWrite(commands: Redis, key: string): Promise<string | undefined> {
  try {
    await commands.set(key, 'doctor', 'EX', 10);
    await commands.del(key);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parseInfo(text: string): Map<string, string> {
  return new Map(
    text.split('\r\n').flatMap((line): [string, string][] => {
      const at = line.indexOf(':');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}

function explain(errors: readonly unknown[]): ProbeError {
  const texts = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  if (texts.some((text) => /^(?:WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH)/.test(text))) {
    return new ProbeError(
      'it refuses the user or the password',
      'Correct the password in REDIS_URL: redis://:password@host:port',
    );
  }
  if (texts.some((text) => text.startsWith('NOPERM'))) {
    return new ProbeError(
      'it does not allow this user what is needed',
      'Give the user of REDIS_URL all commands on its keys and channels.',
    );
  }
  if (texts.some((text) => text.includes('LOADING'))) {
    return new ProbeError('it still reads its data from disk', 'Wait until it has started.');
  }
  if (errors.some((error) => error instanceof TimeLimitError) || texts.some((text) => text.includes('ETIMEDOUT'))) {
    return new ProbeError(
      'it does not answer in time',
      'Is host and port in REDIS_URL that of a Redis server? Is it overloaded, or behind a firewall?',
    );
  }
  const network = errors.map(describeNetworkError).find((text) => text !== undefined);
  if (network !== undefined) {
    return new ProbeError(
      `it can't be reached: ${network}`,
      'Correct host and port in REDIS_URL, and start the Redis server.',
    );
  }
  return new ProbeError("it can't be used", 'Check REDIS_URL.');
}
