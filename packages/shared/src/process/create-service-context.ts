import type { StandInSessions } from '@messagebox/brc103/express';
import { DeliveryFees, StorageQuotas } from '@messagebox/messages';
import {
  BlockedIdentities,
  type MessageStore,
  openDatabase,
  type PermissionStore,
  type SqlClient,
  SqlPermissionStore,
  SqlServerFeeStore,
  SqlUsageReader,
  type StoreConfig,
} from '@messagebox/store';
import { FairScheduler } from '../admission/fair-scheduler.js';
import { BlockList } from '../blocking/block-list.js';
import { hasWallet } from '../config/has-wallet.js';
import type { Config } from '../config/read-config.js';
import { createDatabaseCheck, Health } from '../health/health.js';
import type { JsonServer } from '../http/json-server.js';
import { findOwnAddress } from '../http/own-address.js';
import { createServerIdentity, type ServerIdentity } from '../identity/server-identity.js';
import { InstanceReporter } from '../instances/instance-reporter.js';
import type { InstanceStore } from '../instances/instance-store.js';
import type { StatsHistory } from '../instances/stats-history.js';
import { RateLimits } from '../limits/rate-limits.js';
import { SendRateLimits } from '../limits/send-rate-limits.js';
import type { Logger } from '../logging/logger.js';
import { InstrumentedMessageStore } from '../metrics/instrumented-message-store.js';
import { InstrumentedPermissionStore } from '../metrics/instrumented-permission-store.js';
import { InstrumentedUsageReader } from '../metrics/instrumented-usage-reader.js';
import { createInternalServer } from '../metrics/internal-server.js';
import { LimitHitReporter } from '../metrics/limit-hit-reporter.js';
import { Metrics } from '../metrics/metrics.js';
import type { RedisClients } from '../redis/redis-clients.js';
import type { RoomEventBroker } from '../room-events/redis-room-events.js';
import type { RoomMemory } from '../room-memory/room-memory.js';
import { openTracer } from '../tracing/open-tracer.js';
import type { Tracer } from '../tracing/tracer.js';
import { openSharedState, selectDatabase } from './backends.js';
import { IdleGarbageCollector } from './idle-garbage-collector.js';
import { ShutdownHooks } from './shutdown-hooks.js';

/**
 * The parts that every service needs. `shutdown.close()` closes all that was opened here, and all that was added to
 * `shutdown` since.
 */
export interface ServiceContext {
  readonly config: Config;
  readonly log: Logger;
  readonly shutdown: ShutdownHooks;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** Is called for every limit that is hit. */
  readonly limitsHit: LimitHitReporter;
  /** Makes rate limits. With Redis, instances share them. */
  readonly rates: RateLimits;
  /** One object for the process, shared by all that accept sends. */
  readonly sendRates: SendRateLimits;
  /** Divides the time of this process among clients. */
  readonly scheduler: FairScheduler;
  readonly identity: ServerIdentity;
  readonly store: MessageStore;
  readonly permissions: PermissionStore;
  readonly deliveryFees: DeliveryFees;
  /** One object for the process: it remembers the messages that it has admitted. */
  readonly quotas: StorageQuotas;
  /** The database of `store`, for stores of other data. */
  readonly sql: SqlClient;
  readonly storeConfig: StoreConfig;
  readonly broker: RoomEventBroker;
  readonly memory: RoomMemory;
  /** Identities that may not use this server. */
  readonly blockList: BlockList;
  /** Tells operators how this process is. */
  readonly reporter: InstanceReporter;
  /** What the running instances say of themselves. */
  readonly instances: InstanceStore;
  readonly history: StatsHistory;
  /** Keep HTTP sessions while the database takes no writes. */
  readonly standIns: readonly StandInSessions[];
  /** Undefined when Redis is not configured. */
  readonly redis: RedisClients | undefined;
  /** The internal port, and the base URL under which other instances reach it. Undefined when there is none. */
  readonly internal: { readonly server: JsonServer; readonly url: string } | undefined;
  /** The implementations in use, for the log line at the start. */
  readonly facts: Readonly<Record<string, string>>;
}

export interface ServiceContextOptions {
  readonly service: string;
  /**
   * The database to use when none is configured. A service without it needs a configured database and Redis, which its
   * processes share.
   */
  readonly embedded?: StoreConfig;
  /**
   * Whether the process runs other code than this service, such as the tests of an app. Then nothing that belongs to the
   * whole process is touched, such as V8's garbage collector. Default: false.
   */
  readonly sharesProcess?: boolean;
}

/**
 * Opens identity, database and shared state as configured. {@link selectDatabase} and {@link openSharedState} choose the
 * implementations.
 *
 * @throws {ConfigError} when a part of the configuration is missing, {Error} when Redis does not answer; all that was opened
 *   is closed again
 */
export async function createServiceContext(
  config: Config,
  log: Logger,
  options: ServiceContextOptions,
): Promise<ServiceContext> {
  const shutdown = new ShutdownHooks(log, config.shutdownGraceMs);
  const health = new Health();
  try {
    const tracer = await openTracer(config.tracing, options.service, log);
    shutdown.add('tracing', () => tracer.close());
    const identity = createServerIdentity(config);
    const storeConfig = selectDatabase(config, options.embedded);
    const { messages, sql } = openDatabase(storeConfig, log);
    shutdown.add('database', () => messages.close());
    const { broker, memory, counts, standIns, redis, instances, history, countUnpublished } = await openSharedState(
      config,
      {
        log,
        health,
        shutdown,
        isRedisOptional: options.embedded !== undefined,
      },
    );
    const facts = { secp256k1: identity.curve, database: messages.engine, events: broker.kind };
    const metrics = new Metrics(options.service, facts);
    if (redis !== undefined) {
      metrics.addGauge('messagebox_redis_up', 'Whether Redis can be used now.', () =>
        redis.findProblem() === undefined ? 1 : 0,
      );
      metrics.addCounter(
        'messagebox_room_events_unpublished_total',
        'Publishes of room events that Redis did not confirm.',
        countUnpublished,
      );
    }
    if (options.sharesProcess !== true) {
      const garbageCollector = new IdleGarbageCollector();
      shutdown.add('garbage collector', () => garbageCollector.close());
    }
    const limitsHit = new LimitHitReporter(metrics, log);
    const rates = new RateLimits({ onHit: limitsHit.report, counts });
    shutdown.add('rates', () => rates.close());
    const scheduler = new FairScheduler({
      maxWaitingPerAddress: config.limits.waitingPerAddress,
      onRefused: () => limitsHit.report('waiting_work'),
    });
    metrics.addGauge('messagebox_work_waiting', 'Pieces of work that wait for their turn.', () => scheduler.waiting);
    const store = new InstrumentedMessageStore(messages, metrics, tracer);
    health.add('database', createDatabaseCheck(store));
    const internal =
      config.internalPort === undefined
        ? undefined
        : await openInternalServer(config.internalPort, config, { metrics, health, shutdown });
    if (internal !== undefined) log.info({ url: internal.url }, 'metrics and health for operators');
    const reporter = new InstanceReporter({
      service: options.service,
      store: instances,
      metrics,
      health,
      log,
      address: internal?.url,
    });
    shutdown.add('snapshot', () => reporter.close());
    const blocked = new BlockedIdentities(sql);
    const blockList = new BlockList({ read: () => blocked.listKeys(), notices: broker.notices, log });
    shutdown.add('block list', () => blockList.close());
    return {
      config,
      log,
      shutdown,
      health,
      metrics,
      tracer,
      limitsHit,
      rates,
      sendRates: new SendRateLimits(
        rates.openShared('sends', config.limits.rates.sends),
        rates.openShared('sent_bytes', config.limits.rates.sentBytes),
      ),
      scheduler,
      identity,
      store,
      permissions: new InstrumentedPermissionStore(
        new SqlPermissionStore(sql, config.limits.permissions),
        metrics,
        tracer,
      ),
      deliveryFees: new DeliveryFees(new SqlServerFeeStore(sql), undefined, hasWallet(config)),
      quotas: new StorageQuotas({
        limits: config.quotas,
        usage: new InstrumentedUsageReader(new SqlUsageReader(sql), metrics, tracer),
        onRefused: ({ quota, resource }) => metrics.quotaRefusals.inc({ quota, resource }),
      }),
      sql,
      storeConfig,
      broker,
      memory,
      blockList,
      reporter,
      instances,
      history,
      standIns,
      redis,
      internal,
      facts,
    };
  } catch (error) {
    await shutdown.close();
    throw error;
  }
}

async function openInternalServer(
  internalPort: number,
  config: Config,
  { metrics, health, shutdown }: Pick<ServiceContext, 'metrics' | 'health' | 'shutdown'>,
): Promise<{ server: JsonServer; url: string }> {
  const server = createInternalServer(metrics, health);
  shutdown.add('internal listener', () => server.close(1_000));
  const { port } = new URL(await server.listen(internalPort, config.internalHost));
  const host = config.internalAddress ?? config.internalHost ?? findOwnAddress();
  return { server, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` };
}
