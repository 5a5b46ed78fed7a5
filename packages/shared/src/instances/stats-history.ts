import type { Redis } from 'ioredis';
import type { Logger } from '../logging/logger.js';
import { type PeriodicTask, runPeriodically } from '../process/run-periodically.js';
import type { InstanceStore } from './instance-store.js';
import { summariseInstances } from './summary.js';

/** One entry each 5 s for 15 minutes. */
export const HISTORY_ENTRIES = 180;
export const HISTORY_INTERVAL_MS = 5_000;
/** Without a writer, the history is forgotten. */
const HISTORY_TTL_SECONDS = 3_600;

/** What all instances together did at a time. */
export interface HistoryEntry {
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly messagesPerSecond: number;
  readonly sockets: number;
  /** Of the live deliveries of the minute before, in milliseconds; null when there were none. */
  readonly p95: number | null;
}

/** The last 15 minutes of all instances together. */
export interface StatsHistory {
  /** Whether it is this process's turn to add the next entry: one of the instances does it. */
  takeTurn(): Promise<boolean>;
  add(entry: HistoryEntry): Promise<void>;
  /** The oldest first. */
  list(): Promise<HistoryEntry[]>;
}

/** For a process that is alone. */
export class InProcessStatsHistory implements StatsHistory {
  readonly #entries: HistoryEntry[] = [];

  async takeTurn(): Promise<boolean> {
    return true;
  }

  async add(entry: HistoryEntry): Promise<void> {
    this.#entries.push(entry);
    if (this.#entries.length > HISTORY_ENTRIES) this.#entries.shift();
  }

  async list(): Promise<HistoryEntry[]> {
    return [...this.#entries];
  }
}

/** A sorted set in Redis, by time. */
export class RedisStatsHistory implements StatsHistory {
  readonly #key: string;
  readonly #turnKey: string;

  /** @param redis fails at once while Redis is unavailable */
  constructor(
    private readonly redis: Redis,
    prefix: string,
  ) {
    this.#key = `${prefix}:history`;
    this.#turnKey = `${prefix}:history-turn`;
  }

  async takeTurn(): Promise<boolean> {
    // A little shorter than the interval, so that timers that are late leave no hole.
    return (await this.redis.set(this.#turnKey, '1', 'PX', HISTORY_INTERVAL_MS * 0.9, 'NX')) === 'OK';
  }

  async add(entry: HistoryEntry): Promise<void> {
    await this.redis
      .multi()
      .zadd(this.#key, Date.parse(entry.time), JSON.stringify(entry))
      .zremrangebyrank(this.#key, 0, -HISTORY_ENTRIES - 1)
      .expire(this.#key, HISTORY_TTL_SECONDS)
      .exec();
  }

  async list(): Promise<HistoryEntry[]> {
    return (await this.redis.zrange(this.#key, 0, -1)).map((text) => JSON.parse(text) as HistoryEntry);
  }
}

/** Adds an entry each 5 s, unless another instance has. @returns the task, to be closed */
export function startStatsHistory(options: {
  readonly instances: InstanceStore;
  readonly history: StatsHistory;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  /** Default: 5 s. */
  readonly intervalMs?: number;
}): PeriodicTask {
  const { instances, history, log, intervalMs = HISTORY_INTERVAL_MS } = options;
  const addEntry = async () => {
    try {
      if (!(await history.takeTurn())) return;
      const { rates, sockets, deliveryLatencyMs } = summariseInstances(await instances.list());
      const { messagesPerSecond } = rates;
      await history.add({ time: new Date().toISOString(), messagesPerSecond, sockets, p95: deliveryLatencyMs.p95 });
    } catch {
      // While Redis is away there is a hole. Others log that.
    }
  };
  return runPeriodically(intervalMs, addEntry, { log, name: 'history of statistics' });
}
