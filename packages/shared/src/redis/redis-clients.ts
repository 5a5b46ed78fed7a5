import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import { ConnectionMonitor, type HeartbeatOptions } from './connection-monitor.js';

/** The two Redis connections of a process. */
export interface RedisClients {
  /** For commands and publishing. It fails at once while Redis is unavailable, so that no request waits. */
  readonly commands: Redis;
  /** For subscriptions. It reconnects by itself; who subscribes must subscribe again. */
  readonly subscriber: Redis;
  /** Tell whether each connection answers, and when one was lost. */
  readonly monitors: { readonly commands: ConnectionMonitor; readonly subscriber: ConnectionMonitor };
  /** Why Redis cannot be used now. Undefined when it can. */
  findProblem(): string | undefined;
  close(): void;
}

export interface ConnectRedisOptions {
  /** How long to wait for Redis. Default 30 s. */
  readonly timeoutMs?: number;
  readonly heartbeat?: HeartbeatOptions;
}

const COMMAND_TIMEOUT_MS = 1_000;
const MIN_RECONNECT_DELAY_MS = 250;
const MAX_RECONNECT_DELAY_MS = 2_000;

/**
 * Opens both connections and waits until both are ready.
 *
 * @throws {Error} with the address, when Redis did not answer in time
 */
export async function connectRedis(
  url: string,
  log: Logger,
  { timeoutMs = 30_000, heartbeat }: ConnectRedisOptions = {},
): Promise<RedisClients> {
  const shared: RedisOptions = {
    retryStrategy: (attempt) =>
      Math.min(MIN_RECONNECT_DELAY_MS * 2 ** Math.min(attempt - 1, 6), MAX_RECONNECT_DELAY_MS),
    connectTimeout: 3_000,
    keepAlive: 10_000,
    // Often enough that a Redis that reads its data from disk is not taken for a silent one.
    maxLoadingRetryTime: 1_000,
  };
  const commands = new Redis(url, {
    ...shared,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
  });
  const subscriber = new Redis(url, { ...shared, maxRetriesPerRequest: null, autoResubscribe: false });
  const monitors = {
    commands: new ConnectionMonitor(commands, { name: 'command', log, heartbeat }),
    subscriber: new ConnectionMonitor(subscriber, { name: 'subscriber', log, heartbeat }),
  };
  const clients: RedisClients = {
    commands,
    subscriber,
    monitors,
    findProblem: () => monitors.commands.findProblem() ?? monitors.subscriber.findProblem(),
    close: () => {
      commands.disconnect();
      subscriber.disconnect();
    },
  };
  try {
    await Promise.all([waitUntilReady(commands, timeoutMs), waitUntilReady(subscriber, timeoutMs)]);
  } catch (error) {
    clients.close();
    throw error;
  }
  return clients;
}

async function waitUntilReady(client: Redis, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') return;
  const { host, port } = client.options;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`Redis at ${host}:${port} did not answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    client.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
