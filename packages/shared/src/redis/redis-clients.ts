import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';

/** The two connections of a process, and one way to end them. */
export interface RedisClients {
  /** For commands and publishing: fails at once while Redis is away, so that nothing waits in a request's path. */
  readonly commands: Redis;
  /** For subscriptions: keeps trying, and subscribes again by itself. */
  readonly subscriber: Redis;
  /** Why Redis is not usable right now, or undefined when it is. */
  problem(): string | undefined;
  close(): void;
}

const COMMAND_TIMEOUT_MS = 1_000;

/**
 * Opens both connections and waits until Redis has answered once.
 *
 * @param waitMs how long to wait for a Redis that is not there yet
 * @throws {Error} naming the address when it did not answer in that time
 */
export async function connectRedis(url: string, log: Logger, waitMs = 30_000): Promise<RedisClients> {
  const shared: RedisOptions = {
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
    connectTimeout: 5_000,
    // Without it, a connection that was cut in silence is noticed only by the next write.
    keepAlive: 10_000,
  };
  const commands = new Redis(url, {
    ...shared,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
  });
  const subscriber = new Redis(url, { ...shared, maxRetriesPerRequest: null });
  for (const [name, client] of Object.entries({ commands, subscriber })) watchConnection(client, name, log);
  const clients: RedisClients = {
    commands,
    subscriber,
    problem: () => {
      if (commands.status !== 'ready') return `command connection is ${commands.status}`;
      if (subscriber.status !== 'ready') return `subscriber connection is ${subscriber.status}`;
      return undefined;
    },
    close: () => {
      commands.disconnect();
      subscriber.disconnect();
    },
  };
  try {
    await Promise.all([untilReady(commands, waitMs), untilReady(subscriber, waitMs)]);
  } catch (error) {
    clients.close();
    throw error;
  }
  return clients;
}

/** Logs that a connection is away, and that it is back. */
export function watchConnection(client: Redis, name: string, log: Logger): void {
  let away = false;
  client.on('error', (error: Error) => {
    if (away) return; // one line for each outage, not one for each attempt
    away = true;
    log.warn({ connection: name, reason: error.message }, 'Redis is away');
  });
  client.on('ready', () => {
    if (away) log.info({ connection: name }, 'Redis is back');
    away = false;
  });
}

async function untilReady(client: Redis, waitMs: number): Promise<void> {
  if (client.status === 'ready') return;
  const { host, port } = client.options;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`Redis at ${host}:${port} did not answer within ${waitMs / 1000} s`)),
      waitMs,
    );
    client.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
