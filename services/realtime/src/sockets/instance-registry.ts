import { randomBytes } from 'node:crypto';
import type { Logger, RedisClients } from '@messagebox/shared';
import { LRUCache } from 'lru-cache';

const REFRESH_MS = 5_000;
const TTL_MS = 15_000;
/** How long an address is believed without asking again: each long poll would ask otherwise. */
const BELIEVED_MS = 2_000;

/** Which realtime instances live, and where the others reach them. */
export interface InstanceRegistry {
  /** This instance's id: 12 characters that begin the id of each of its connections. */
  readonly id: string;
  /**
   * @returns base URL of another live instance's internal port; undefined when no such instance is known
   */
  addressOf(id: string): Promise<string | undefined>;
  /** Takes this instance out; others stop passing requests to it. */
  leave(): Promise<void>;
}

/** @returns an id that is unlike any other instance's: letters, digits, `_` and `-`. */
export function newInstanceId(): string {
  return randomBytes(9).toString('base64url');
}

/**
 * Enters this instance into the registry in Redis, under a time to live that it renews. While Redis is away, addresses
 * that were known stay known.
 *
 * @param address base URL under which others reach this instance's internal port
 */
export function joinRegistry(
  { commands }: RedisClients,
  prefix: string,
  address: string,
  log: Logger,
  id = newInstanceId(),
): InstanceRegistry {
  const keyOf = (instance: string) => `${prefix}:instance:${instance}`;
  const known = new LRUCache<string, string>({
    max: 10_000,
    ttl: BELIEVED_MS,
    allowStale: true,
    noDeleteOnStaleGet: true,
  });
  const enter = () => {
    commands
      .set(keyOf(id), address, 'PX', TTL_MS)
      .catch((error: Error) => log.debug({ reason: error.message }, 'could not renew the entry of this instance'));
  };
  enter();
  log.info({ instance: id, address }, 'other instances reach this one');
  const renewing = setInterval(enter, REFRESH_MS);
  renewing.unref();
  return {
    id,
    async addressOf(instance) {
      if (known.has(instance)) return known.get(instance);
      try {
        const found = await commands.get(keyOf(instance));
        if (found === null) known.delete(instance);
        else known.set(instance, found);
        return found ?? undefined;
      } catch {
        return known.get(instance);
      }
    },
    async leave() {
      clearInterval(renewing);
      await commands.del(keyOf(id));
    },
  };
}
