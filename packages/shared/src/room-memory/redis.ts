import type { Redis } from 'ioredis';
import { FORGET_ROOM, REMEMBER_ROOMS } from './redis-scripts.js';
import {
  IDENTITY_OVERHEAD_BYTES,
  REMEMBERED_FOR_MS,
  ROOM_MEMORY_LIMITS,
  ROOM_OVERHEAD_BYTES,
  type RoomMemory,
  type RoomMemoryLimits,
  suffixOf,
} from './room-memory.js';

type Scripted = Redis & Record<'rememberRooms' | 'forgetRoom', (...args: (string | number)[]) => Promise<unknown>>;

/**
 * Rooms remembered in Redis, for all realtime instances: a sorted set for each identity, scored by time of use, one of all
 * identities, and the bytes that each of them takes. They change together, in scripts.
 */
export function redisRoomMemory(
  commands: Redis,
  prefix: string,
  now: () => number = Date.now,
  limits: RoomMemoryLimits = ROOM_MEMORY_LIMITS,
): RoomMemory {
  commands.defineCommand('rememberRooms', { numberOfKeys: 3, lua: REMEMBER_ROOMS });
  commands.defineCommand('forgetRoom', { numberOfKeys: 3, lua: FORGET_ROOM });
  const scripted = commands as Scripted;
  const roomsPrefix = `${prefix}:joined:`;
  const keysFor = (identityKey: string) => [
    `${roomsPrefix}${identityKey}`,
    `${prefix}:joined-identities`,
    `${prefix}:joined-bytes`,
  ];
  return {
    async remember(identityKey, rooms) {
      const suffixes = rooms.flatMap((room) => suffixOf(identityKey, room) ?? []);
      if (suffixes.length === 0) return;
      await scripted.rememberRooms(
        ...keysFor(identityKey),
        identityKey,
        roomsPrefix,
        now(),
        REMEMBERED_FOR_MS,
        limits.rooms,
        limits.nameBytes,
        limits.identities,
        limits.totalBytes,
        ROOM_OVERHEAD_BYTES,
        IDENTITY_OVERHEAD_BYTES,
        // What a script is given at once is bounded; the most recently joined are the last.
        ...suffixes.slice(-limits.rooms),
      );
    },
    async forget(identityKey, room) {
      const suffix = suffixOf(identityKey, room);
      if (suffix === undefined) return;
      await scripted.forgetRoom(...keysFor(identityKey), identityKey, suffix, room, ROOM_OVERHEAD_BYTES);
    },
    async recall(identityKey) {
      const [roomsKey = ''] = keysFor(identityKey);
      const members = await commands.zrevrangebyscore(roomsKey, '+inf', now() - REMEMBERED_FOR_MS);
      // Version 0.1.0 wrote whole names. A suffix begins with the hyphen, and a whole name never.
      return [...new Set(members.map((member) => (member.startsWith('-') ? `${identityKey}${member}` : member)))];
    },
  };
}
