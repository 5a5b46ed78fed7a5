import { type Callback, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import { ConnectionMonitor } from '../redis/connection-monitor.js';

/**
 * The connection of a worker, which BullMQ duplicates for blocking commands. Both wait while Redis is unavailable, and
 * `disconnectAll()` closes both, even when BullMQ is blocked. A silent connection is replaced: this one by its monitor, the
 * duplicate by BullMQ when a blocking command exceeds its time.
 */
export class WorkerConnection extends Redis {
  readonly #copies: WorkerConnection[] = [];

  /** @param isBlocking whether BullMQ uses it for blocking commands, during which Redis answers nothing else */
  constructor(
    options: RedisOptions,
    private readonly log: Logger,
    isBlocking = false,
  ) {
    super(options);
    new ConnectionMonitor(this, { name: options.connectionName ?? 'jobs', log, isBlocking });
  }

  /** A connection like another one of this process, except that its commands wait instead of failing at once. */
  static fromConnection(other: Redis, log: Logger): WorkerConnection {
    const { commandTimeout: _, ...options } = other.options;
    return new WorkerConnection({ ...options, enableOfflineQueue: true, maxRetriesPerRequest: null }, log);
  }

  override duplicate(override?: Partial<RedisOptions>): WorkerConnection {
    const copy = new WorkerConnection({ ...this.options, ...override }, this.log, true);
    this.#copies.push(copy);
    return copy;
  }

  /**
   * Hides the eviction policy from BullMQ, which would print a warning to the console for each connection; the queue logs it
   * once. BullMQ calls `info()` without arguments, and ioredis itself calls it with a callback.
   */
  override readonly info = (async (...args: [] | [Callback<string>]) => {
    const text = await (args.length === 0 ? super.info() : super.info(...args));
    return args.length === 0 ? text.replace(/^maxmemory_policy:.*$/m, '') : text;
  }) as Redis['info'];

  /** Closes this connection and its duplicates. Commands without a reply are rejected. */
  disconnectAll(): void {
    for (const connection of [this, ...this.#copies]) {
      // On a closed connection, `disconnect()` of ioredis would keep the process alive for two more seconds.
      if (connection.status !== 'end') connection.disconnect();
    }
  }
}
