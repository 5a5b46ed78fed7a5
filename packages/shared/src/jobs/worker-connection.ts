import { type Callback, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import { watchConnection } from '../redis/redis-clients.js';

/**
 * A worker's connection, from which BullMQ makes another one that blocks. Both wait for a Redis that is away, and both end
 * with `cut()`, also when BullMQ is stuck waiting.
 */
export class WorkerConnection extends Redis {
  readonly #copies: WorkerConnection[] = [];

  constructor(
    options: RedisOptions,
    private readonly log: Logger,
  ) {
    super(options);
    watchConnection(this, options.connectionName ?? 'jobs', log);
  }

  /** Like another connection of this process, but waiting where that one fails at once. */
  static like(other: Redis, log: Logger): WorkerConnection {
    const { commandTimeout: _, ...options } = other.options;
    return new WorkerConnection({ ...options, enableOfflineQueue: true, maxRetriesPerRequest: null }, log);
  }

  override duplicate(override?: Partial<RedisOptions>): WorkerConnection {
    const copy = new WorkerConnection({ ...this.options, ...override }, this.log);
    this.#copies.push(copy);
    return copy;
  }

  /**
   * BullMQ asks without arguments, and tells on the console, for each connection, of an eviction policy, which the log
   * tells once. ioredis itself asks with a callback.
   */
  override readonly info = (async (...args: [] | [Callback<string>]) => {
    const text = await (args.length === 0 ? super.info() : super.info(...args));
    return args.length === 0 ? text.replace(/^maxmemory_policy:.*$/m, '') : text;
  }) as Redis['info'];

  /** Ends it and what was made from it; what still waits for an answer is rejected. */
  cut(): void {
    for (const connection of [this, ...this.#copies]) {
      // On a connection that has ended, ioredis would keep the process alive for two seconds more.
      if (connection.status !== 'end') connection.disconnect();
    }
  }
}
