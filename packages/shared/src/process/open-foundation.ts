import { FairScheduler } from '../admission/fair-scheduler.js';
import { type Config, ConfigError, hasWallet } from '../config/index.js';
import { DeliveryFees } from '../fees/delivery-fees.js';
import { databaseCheck, Health } from '../health/health.js';
import type { JsonServer } from '../http/json-server.js';
import { ownAddress } from '../http/own-address.js';
import { type ServerIdentity, serverIdentity } from '../identity/server-identity.js';
import { RateLimits } from '../limits/rate-limits.js';
import { RedisCounts } from '../limits/redis-counts.js';
import { SendRates } from '../limits/send-rates.js';
import type { Logger } from '../logging/logger.js';
import { createInternalServer } from '../metrics/internal-server.js';
import { LimitsHit } from '../metrics/limits-hit.js';
import { MeasuredPermissions } from '../metrics/measured-permissions.js';
import { MeasuredStore } from '../metrics/measured-store.js';
import { MeasuredUsage } from '../metrics/measured-usage.js';
import { Metrics } from '../metrics/metrics.js';
import { StorageQuotas } from '../quotas/index.js';
import { connectRedis, type RedisClients } from '../redis/redis-clients.js';
import { inProcessRoomEvents, type RoomEventBroker, redisRoomEvents } from '../room-events/redis-room-events.js';
import { inProcessRoomMemory } from '../room-memory/in-process.js';
import { redisRoomMemory } from '../room-memory/redis.js';
import type { RoomMemory } from '../room-memory/room-memory.js';
import {
  type MessageStore,
  openDatabase,
  type PermissionStore,
  type SqlClient,
  SqlPermissionStore,
  SqlServerFeeStore,
  type StoreConfig,
  StoredUsage,
} from '../store/index.js';
import { Closing } from './closing.js';
import { MemoryRelief } from './memory-relief.js';

/** What every service stands on. Closing it ends what was opened here and what was added to `closing` since. */
export interface Foundation {
  readonly config: Config;
  readonly log: Logger;
  readonly closing: Closing;
  readonly health: Health;
  readonly metrics: Metrics;
  /** Told of every limit that is hit. */
  readonly limitsHit: LimitsHit;
  /** Makes rate limits, which other instances share when there is Redis. */
  readonly rates: RateLimits;
  /** One for the process, and shared by all that take sends. */
  readonly sendRates: SendRates;
  /** Divides this process's time among clients. */
  readonly scheduler: FairScheduler;
  readonly identity: ServerIdentity;
  readonly store: MessageStore;
  readonly permissions: PermissionStore;
  readonly deliveryFees: DeliveryFees;
  /** One for the process: it remembers what it has admitted. */
  readonly quotas: StorageQuotas;
  /** The same database, for stores of other things. */
  readonly sql: SqlClient;
  readonly storeConfig: StoreConfig;
  readonly broker: RoomEventBroker;
  readonly memory: RoomMemory;
  /** Redis, when it is configured. */
  readonly redis: RedisClients | undefined;
  /** The internal port, when there is one, and the base URL by which other instances reach it. */
  readonly internal: { readonly server: JsonServer; readonly url: string } | undefined;
  /** For the line that says what runs. */
  readonly facts: Readonly<Record<string, string>>;
}

export interface FoundationOptions {
  readonly service: string;
  /** The database to use when none is configured. Without it, database and broker must be: others share them. */
  readonly embedded?: StoreConfig;
}

/**
 * Opens identity, database and broker as configured: the one place that chooses between MySQL and SQLite, Redis and
 * in-process.
 *
 * @throws {ConfigError} when something is missing, {Error} when Redis does not answer; what was opened is closed again
 */
export async function openFoundation(config: Config, log: Logger, options: FoundationOptions): Promise<Foundation> {
  const closing = new Closing(log, config.shutdownGraceMs);
  const health = new Health();
  try {
    const identity = serverIdentity(config);
    const storeConfig = config.store ?? options.embedded;
    if (storeConfig === undefined) throw new ConfigError([DATABASE_MISSING]);
    if (config.redis === undefined && options.embedded === undefined) throw new ConfigError([REDIS_MISSING]);

    const { messages: opened, sql } = openDatabase(storeConfig, log);
    closing.add('database', () => opened.close());
    const { broker, memory, redis } = await openBroker(config, log, health, closing);
    const facts = { secp256k1: identity.curve, database: opened.dialect, events: broker.kind };
    const metrics = new Metrics(options.service, facts);
    if (redis !== undefined) {
      metrics.gauge('messagebox_redis_up', 'Whether Redis can be used now.', () =>
        redis.problem() === undefined ? 1 : 0,
      );
    }
    const relief = new MemoryRelief();
    closing.add('memory relief', () => relief.close());
    const limitsHit = new LimitsHit(metrics, log);
    const rates = openRates(config, log, closing, redis, limitsHit);
    const scheduler = new FairScheduler({
      maxWaitingPerAddress: config.limits.waitingPerAddress,
      onRefused: () => limitsHit.hit('waiting_work'),
    });
    metrics.gauge('messagebox_work_waiting', 'Pieces of work that wait for their turn.', () => scheduler.waiting);
    const store = new MeasuredStore(opened, metrics);
    health.add('database', databaseCheck(store));
    const internal =
      config.internalPort === undefined ? undefined : await openInternal(config, metrics, health, closing);
    if (internal !== undefined) log.info({ url: internal.url }, 'metrics and health for operators');
    return {
      config,
      log,
      closing,
      health,
      metrics,
      limitsHit,
      rates,
      sendRates: new SendRates(
        rates.openShared('sends', config.limits.rates.sends),
        rates.openShared('sent_bytes', config.limits.rates.sentBytes),
      ),
      scheduler,
      identity,
      store,
      permissions: new MeasuredPermissions(new SqlPermissionStore(sql, config.limits.permissions), metrics),
      deliveryFees: new DeliveryFees(new SqlServerFeeStore(sql), undefined, hasWallet(config)),
      quotas: new StorageQuotas({
        limits: config.quotas,
        usage: new MeasuredUsage(new StoredUsage(sql), metrics),
        onRefused: ({ quota, resource }) => metrics.quotaRefusals.inc({ quota, resource }),
      }),
      sql,
      storeConfig,
      broker,
      memory,
      redis,
      internal,
      facts,
    };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

const DATABASE_MISSING =
  'KNEX_DB_CONNECTION is missing: set it to {"host", "port", "user", "password", "database"} of a MySQL or MariaDB server';
const REDIS_MISSING = 'REDIS_URL is missing: services in several processes need it, for example redis://127.0.0.1:6379';

function openRates(
  config: Config,
  log: Logger,
  closing: Closing,
  redis: RedisClients | undefined,
  limitsHit: LimitsHit,
): RateLimits {
  const counts = redis && config.redis && new RedisCounts(redis.commands, config.redis.prefix, log);
  const rates = new RateLimits({ onHit: limitsHit.hit, counts });
  closing.add('rates', () => rates.close());
  return rates;
}

async function openBroker(
  config: Config,
  log: Logger,
  health: Health,
  closing: Closing,
): Promise<{ broker: RoomEventBroker; memory: RoomMemory; redis: RedisClients | undefined }> {
  if (config.redis === undefined) {
    return { broker: inProcessRoomEvents(), memory: inProcessRoomMemory(), redis: undefined };
  }
  const { url, prefix } = config.redis;
  const clients = await connectRedis(url, log);
  closing.add('redis', () => clients.close());
  // Without Redis messages are stored and listed as ever, so an outage must not take every instance out of service.
  health.add('redis', () => clients.problem(), false);
  return {
    broker: await redisRoomEvents(clients, prefix, log),
    memory: redisRoomMemory(clients.commands, prefix),
    redis: clients,
  };
}

async function openInternal(
  config: Config,
  metrics: Metrics,
  health: Health,
  closing: Closing,
): Promise<{ server: JsonServer; url: string }> {
  const server = createInternalServer(metrics, health);
  closing.add('internal listener', () => server.close(1_000));
  const { port } = new URL(await server.listen(config.internalPort ?? 0, config.internalHost));
  const host = config.internalAddress ?? config.internalHost ?? ownAddress();
  return { server, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` };
}
