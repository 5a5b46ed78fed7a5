import { createHmac } from 'node:crypto';
import type { StandInSessions } from '@messagebox/brc103/express';
import type { ReceiptsConfig, StoreConfig } from '@messagebox/store';
import { ConfigError } from '../config/config-error.js';
import type { Config } from '../config/read-config.js';
import type { Health } from '../health/health.js';
import { InProcessInstanceStore, type InstanceStore, RedisInstanceStore } from '../instances/instance-store.js';
import { InProcessStatsHistory, RedisStatsHistory, type StatsHistory } from '../instances/stats-history.js';
import { InProcessJobQueue } from '../jobs/in-process-job-queue.js';
import { defaultJobPolicy, type JobPolicy } from '../jobs/job-policy.js';
import type { JobQueue } from '../jobs/job-queue.js';
import { RedisJobQueue } from '../jobs/redis-job-queue.js';
import type { RedisJobTimes } from '../jobs/redis-job-worker.js';
import { RedisCounts } from '../limits/redis-counts.js';
import type { Logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { connectRedis, type RedisClients } from '../redis/redis-clients.js';
import {
  createInProcessRoomEvents,
  createRedisRoomEvents,
  type RoomEventBroker,
} from '../room-events/redis-room-events.js';
import { createInProcessRoomMemory } from '../room-memory/in-process-room-memory.js';
import { createRedisRoomMemory } from '../room-memory/redis-room-memory.js';
import type { RoomMemory } from '../room-memory/room-memory.js';
import { InProcessStandIns } from '../sessions/in-process-stand-ins.js';
import { RedisStandIns } from '../sessions/redis-stand-ins.js';
import type { Tracer } from '../tracing/tracer.js';
import type { ShutdownHooks } from './shutdown-hooks.js';

/*
 * The choice of implementations by configuration. This file decides between the configured and the embedded database, and
 * between Redis and this process. Two more choices follow from the values that are decided here and in the configuration:
 * `openDatabase` of packages/store takes MySQL or SQLite by `StoreConfig.client`, and `createChain` of packages/wallet takes
 * the network or the play chain by `NETWORK`.
 */

/**
 * @param embedded the database to use when none is configured
 * @throws {ConfigError} when there is neither
 */
export function selectDatabase(config: Config, embedded: StoreConfig | undefined): StoreConfig {
  const selected = config.store ?? embedded;
  if (selected === undefined) {
    throw new ConfigError([
      'KNEX_DB_CONNECTION is missing: set it to {"host", "port", "user", "password", "database"} of a MySQL or MariaDB server',
    ]);
  }
  const { retentionDays, storesBatchBodiesOnce } = config;
  return { ...selected, retentionDays, storesBatchBodiesOnce, receipts: toReceiptsConfig(config) };
}

/**
 * The key of receipts is made of the server's: it is secret, the same for all instances, and stays as long as the identity does.
 * Without an identity nothing is remembered.
 */
function toReceiptsConfig({ serverPrivateKey, receiptDays, limits }: Config): ReceiptsConfig | undefined {
  if (serverPrivateKey === undefined || receiptDays === 0) return undefined;
  return {
    key: createHmac('sha256', serverPrivateKey).update('messagebox receipts').digest(),
    days: receiptDays,
    maxBytes: limits.receipts.bytes,
    maxBytesPerSender: limits.receipts.bytesPerSender,
  };
}

/** The state that instances share through Redis. Without Redis it belongs to this process. */
export interface SharedState {
  readonly broker: RoomEventBroker;
  readonly memory: RoomMemory;
  /** Counts of rate limits. Undefined: each limit counts in this process. */
  readonly counts: RedisCounts | undefined;
  /** Keep sessions while the database takes no writes: Redis, then this process. */
  readonly standIns: readonly StandInSessions[];
  readonly redis: RedisClients | undefined;
  /** What the running instances say of themselves. */
  readonly instances: InstanceStore;
  readonly history: StatsHistory;
  /** How many room events could not be published through Redis. */
  readonly countUnpublished: () => number;
}

export interface OpenSharedStateOptions {
  readonly log: Logger;
  readonly health: Health;
  readonly shutdown: ShutdownHooks;
  /** Whether a service without Redis may start. */
  readonly isRedisOptional: boolean;
}

/**
 * Opens Redis where it is configured, and what is kept there.
 *
 * @throws {ConfigError} when Redis is needed and not configured, {Error} when it does not answer
 */
export async function openSharedState(config: Config, options: OpenSharedStateOptions): Promise<SharedState> {
  const { log, health, shutdown } = options;
  if (config.redis === undefined) {
    if (!options.isRedisOptional) {
      throw new ConfigError([
        'REDIS_URL is missing: services in several processes need it, for example redis://127.0.0.1:6379',
      ]);
    }
    return {
      broker: createInProcessRoomEvents(),
      memory: createInProcessRoomMemory(),
      counts: undefined,
      standIns: [new InProcessStandIns()],
      redis: undefined,
      instances: new InProcessInstanceStore(),
      history: new InProcessStatsHistory(),
      countUnpublished: () => 0,
    };
  }
  const { url, prefix } = config.redis;
  const redis = await connectRedis(url, log);
  shutdown.add('redis', () => redis.close());
  // Messages are stored and listed without Redis, so an outage must not make every instance unready.
  health.add('redis', () => redis.findProblem(), false);
  const broker = await createRedisRoomEvents(redis, prefix, log);
  return {
    broker,
    memory: createRedisRoomMemory(redis.commands, prefix),
    counts: new RedisCounts(redis.commands, prefix, log),
    standIns: [new RedisStandIns(redis.commands, prefix), new InProcessStandIns()],
    redis,
    instances: new RedisInstanceStore(redis.commands, prefix),
    history: new RedisStatsHistory(redis.commands, prefix),
    countUnpublished: () => broker.unpublished,
  };
}

/** The options of a job queue. A `ServiceContext` has all of them. */
export interface OpenJobQueueOptions {
  readonly config: Pick<Config, 'redis'>;
  readonly redis: RedisClients | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** How soon a lost worker is noticed, with Redis. Tests shorten these times. */
  readonly times?: RedisJobTimes | undefined;
}

/**
 * Opens a job queue: in Redis where it is configured, else in this process. An in-process queue is known only through the
 * returned object, so a process opens a queue once and gives the object to all who add or handle jobs.
 *
 * @param name 1 to 64 letters, digits, `_`, `-` or `.`
 * @param policy must be the same wherever this queue is opened
 */
export function openJobQueue(
  name: string,
  options: OpenJobQueueOptions,
  policy: JobPolicy = defaultJobPolicy,
): JobQueue {
  const { config, redis, log, metrics, tracer, times } = options;
  if (config.redis === undefined || redis === undefined)
    return new InProcessJobQueue(name, { log, metrics, tracer }, policy);
  return new RedisJobQueue(name, { redis, prefix: config.redis.prefix, log, metrics, tracer, times }, policy);
}
