import { LRUCache } from 'lru-cache';
import { REMEMBERED_FOR_MS, ROOMS_REMEMBERED, type RoomMemory } from './room-memory.js';

const IDENTITIES_REMEMBERED = 20_000;

/** Rooms remembered in this process: for standalone. */
export function inProcessRoomMemory(now: () => number = Date.now): RoomMemory {
  const identities = new LRUCache<string, Map<string, number>>({ max: IDENTITIES_REMEMBERED });
  return {
    async remember(identityKey, rooms) {
      const used = identities.get(identityKey) ?? new Map<string, number>();
      for (const room of rooms) {
        used.delete(room); // so that the newest comes last
        used.set(room, now());
      }
      for (const room of used.keys()) {
        if (used.size <= ROOMS_REMEMBERED) break;
        used.delete(room);
      }
      identities.set(identityKey, used);
    },
    async forget(identityKey, room) {
      identities.get(identityKey)?.delete(room);
    },
    async recall(identityKey) {
      const oldest = now() - REMEMBERED_FOR_MS;
      const used = [...(identities.get(identityKey) ?? [])];
      return used
        .filter(([, at]) => at >= oldest)
        .map(([room]) => room)
        .reverse();
    },
  };
}
