import type { Redis } from 'ioredis';
import { REMEMBERED_FOR_MS, ROOMS_REMEMBERED, type RoomMemory } from './room-memory.js';

/** Rooms remembered in Redis, for all realtime instances: a sorted set for each identity, scored by time of use. */
export function redisRoomMemory(commands: Redis, prefix: string, now: () => number = Date.now): RoomMemory {
  const keyOf = (identityKey: string) => `${prefix}:joined:${identityKey}`;
  return {
    async remember(identityKey, rooms) {
      if (rooms.length === 0) return;
      const key = keyOf(identityKey);
      await commands
        .multi()
        .zadd(key, ...rooms.flatMap((room) => [now(), room]))
        .zremrangebyrank(key, 0, -ROOMS_REMEMBERED - 1)
        .pexpire(key, REMEMBERED_FOR_MS)
        .exec();
    },
    async forget(identityKey, room) {
      await commands.zrem(keyOf(identityKey), room);
    },
    async recall(identityKey) {
      return await commands.zrevrangebyscore(keyOf(identityKey), '+inf', now() - REMEMBERED_FOR_MS);
    },
  };
}
