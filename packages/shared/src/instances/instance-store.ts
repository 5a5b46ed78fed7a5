import type { Redis } from 'ioredis';
import type { InstanceSnapshot } from './instance-snapshot.js';

/** An instance that has not written for this long is not listed. */
export const SNAPSHOT_TTL_MS = 15_000;
/** Ids that the index keeps. More instances than this are not listed. */
export const MAX_LISTED_INSTANCES = 1_000;

/** The snapshots of the instances that run. */
export interface InstanceStore {
  save(snapshot: InstanceSnapshot): Promise<void>;
  /** The snapshots that are not too old, in the order of the instances' starts. */
  list(): Promise<InstanceSnapshot[]>;
  remove(id: string): Promise<void>;
}

/** For a process that is alone. */
export class InProcessInstanceStore implements InstanceStore {
  readonly #snapshots = new Map<string, InstanceSnapshot>();

  async save(snapshot: InstanceSnapshot): Promise<void> {
    this.#snapshots.set(snapshot.id, snapshot);
  }

  async list(): Promise<InstanceSnapshot[]> {
    return [...this.#snapshots.values()];
  }

  async remove(id: string): Promise<void> {
    this.#snapshots.delete(id);
  }
}

/** A key for each instance, which expires, and an index of their ids, which loses those that are gone. */
export class RedisInstanceStore implements InstanceStore {
  readonly #index: string;

  /** @param redis fails at once while Redis is unavailable */
  constructor(
    private readonly redis: Redis,
    private readonly prefix: string,
  ) {
    this.#index = `${prefix}:snapshots`;
  }

  async save(snapshot: InstanceSnapshot): Promise<void> {
    await this.redis
      .multi()
      .set(this.#toKey(snapshot.id), JSON.stringify(snapshot), 'PX', SNAPSHOT_TTL_MS)
      .zadd(this.#index, Date.parse(snapshot.startedAt), snapshot.id)
      .zremrangebyrank(this.#index, 0, -MAX_LISTED_INSTANCES - 1)
      .exec();
  }

  async list(): Promise<InstanceSnapshot[]> {
    const ids = await this.redis.zrange(this.#index, 0, -1);
    const texts = await Promise.all(ids.map((id) => this.redis.get(this.#toKey(id))));
    const gone = ids.filter((_, index) => texts[index] === null);
    if (gone.length > 0) await this.redis.zrem(this.#index, ...gone);
    return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as InstanceSnapshot]));
  }

  async remove(id: string): Promise<void> {
    await this.redis.del(this.#toKey(id));
  }

  #toKey(id: string): string {
    return `${this.prefix}:snapshot:${id}`;
  }
}
