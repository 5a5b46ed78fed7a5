import { randomBytes } from 'node:crypto';
import type { Logger, RedisClients } from '@messagebox/shared';
import { LRUCache } from 'lru-cache';

const REFRESH_INTERVAL_MS = 5_000;
const TTL_MS = 15_000;
/** How long a known address is used without asking Redis again. Each long poll would ask otherwise. */
const CACHE_TTL_MS = 2_000;

/** Knows which realtime instances are live, and the addresses of their internal ports. */
export interface InstanceRegistry {
  /** This instance's id, 12 characters. The id of each of its connections begins with it. */
  readonly id: string;
  /** Returns the base URL of a live instance's internal port, or undefined when no such instance is known. */
  findAddress(id: string): Promise<string | undefined>;
  /** Removes this instance. The others stop forwarding requests to it. */
  leave(): Promise<void>;
}

/** Creates a unique id of letters, digits, `_` and `-`. */
export function createInstanceId(): string {
  return randomBytes(9).toString('base64url');
}

/**
 * Adds this instance to the registry in Redis. The entry has a time to live and is renewed. While Redis is down, known
 * addresses stay known.
 *
 * @param address the base URL by which other instances reach this instance's internal port
 */
export function joinRegistry(
  { commands }: RedisClients,
  prefix: string,
  address: string,
  log: Logger,
  id = createInstanceId(),
): InstanceRegistry {
  const keyOf = (instance: string) => `${prefix}:instance:${instance}`;
  const known = new LRUCache<string, string>({
    max: 10_000,
    ttl: CACHE_TTL_MS,
    allowStale: true,
    noDeleteOnStaleGet: true,
  });
  const register = () => {
    commands
      .set(keyOf(id), address, 'PX', TTL_MS)
      .catch((error: Error) => log.debug({ reason: error.message }, 'could not renew the registry entry'));
  };
  register();
  log.info({ instance: id, address }, 'instance registered');
  const renewTimer = setInterval(register, REFRESH_INTERVAL_MS);
  renewTimer.unref();
  return {
    id,
    async findAddress(instance) {
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
      clearInterval(renewTimer);
      await commands.del(keyOf(id));
    },
  };
}
