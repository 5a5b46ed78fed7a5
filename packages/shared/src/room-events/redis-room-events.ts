import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import type { RedisClients } from '../redis/redis-clients.js';
import type { RoomSubscriptions } from './room-events.js';

/** A socket.io adapter, and the subscriptions that it makes for the rooms of this instance. */
export interface RoomEventBroker extends RoomSubscriptions {
  readonly kind: 'in-process' | 'redis-sharded' | 'redis-classic';
  /** For `new Server({adapter})`; undefined leaves socket.io's own, which reaches this process only. */
  readonly adapter: Parameters<Server['adapter']>[0] | undefined;
}

/** Room events that stay in this process: for standalone. */
export function inProcessRoomEvents(): RoomEventBroker {
  return { kind: 'in-process', adapter: undefined, ready: async () => undefined };
}

/**
 * Room events through Redis: sharded pub/sub with a channel for each room where the server has it (Redis 7), so that an
 * instance hears only of rooms it has; else the classic adapter, where every instance hears of every room.
 */
export async function redisRoomEvents(clients: RedisClients, prefix: string, log: Logger): Promise<RoomEventBroker> {
  const { commands, subscriber } = clients;
  // The adapters drop the promises of these calls; a rejection (Redis away, connection closed) would end the process.
  for (const method of ['publish', 'spublish'] as const) catchDropped(commands, method, log);
  for (const method of [
    'subscribe',
    'psubscribe',
    'ssubscribe',
    'unsubscribe',
    'punsubscribe',
    'sunsubscribe',
  ] as const) {
    catchDropped(subscriber, method, log);
  }
  if (!(await hasShardedPubSub(clients))) {
    log.warn('this Redis has no sharded pub/sub (Redis 7): every realtime instance will hear of every room');
    return {
      kind: 'redis-classic',
      adapter: createAdapter(commands, subscriber, { key: `${prefix}:rooms` }),
      // One pattern subscription covers all rooms: a round trip on the same connection says that it stands.
      ready: async (namespace) => void (await subscriber.psubscribe(`${prefix}:rooms#${namespace}#*`)),
    };
  }
  const channelPrefix = `${prefix}:rooms`;
  return {
    kind: 'redis-sharded',
    adapter: createShardedAdapter(commands, subscriber, { channelPrefix, subscriptionMode: 'dynamic' }),
    // The adapter subscribes when a room is made and does not wait for Redis. Subscribing again is answered in order on
    // the same connection, so its answer means that the first one stands.
    ready: async (namespace, room) => void (await subscriber.ssubscribe(`${channelPrefix}#${namespace}#${room}#`)),
  };
}

async function hasShardedPubSub({ commands }: RedisClients): Promise<boolean> {
  const [known] = (await commands.call('COMMAND', 'INFO', 'SPUBLISH')) as [unknown];
  return Array.isArray(known);
}

function catchDropped<Name extends string>(
  client: Record<Name, (...args: never[]) => Promise<unknown>>,
  method: Name,
  log: Logger,
): void {
  const call = client[method].bind(client) as (...args: never[]) => Promise<unknown>;
  client[method] = ((...args: never[]) => {
    const promise = call(...args);
    promise.catch((error: Error) => log.debug({ method, reason: error.message }, 'Redis did not take a call'));
    return promise;
  }) as (typeof client)[Name];
}
