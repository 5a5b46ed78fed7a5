import { LRUCache } from 'lru-cache';
import {
  IDENTITY_OVERHEAD_BYTES,
  REMEMBERED_FOR_MS,
  ROOM_MEMORY_LIMITS,
  ROOM_OVERHEAD_BYTES,
  type RoomMemory,
  type RoomMemoryLimits,
  suffixOf,
} from './room-memory.js';

/** Rooms remembered in this process: for standalone. */
export function inProcessRoomMemory(
  now: () => number = Date.now,
  limits: RoomMemoryLimits = ROOM_MEMORY_LIMITS,
): RoomMemory {
  const identities = new LRUCache<string, JoinedRooms>({
    max: limits.identities,
    maxSize: limits.totalBytes,
    sizeCalculation: (rooms) => rooms.size,
  });
  return {
    async remember(identityKey, rooms) {
      const known = identities.get(identityKey);
      const joined = known ?? new JoinedRooms();
      for (const room of rooms) {
        const suffix = suffixOf(identityKey, room);
        if (suffix !== undefined) joined.use(suffix, now());
      }
      joined.trim(limits);
      // Its size is taken anew only when it is entered anew.
      identities.delete(identityKey);
      if (!joined.isEmpty) identities.set(identityKey, joined);
    },
    async forget(identityKey, room) {
      const joined = identities.get(identityKey);
      const suffix = suffixOf(identityKey, room);
      if (joined === undefined || suffix === undefined) return;
      joined.leave(suffix);
      identities.delete(identityKey);
      if (!joined.isEmpty) identities.set(identityKey, joined);
    },
    async recall(identityKey) {
      const joined = identities.get(identityKey);
      return (joined?.usedSince(now() - REMEMBERED_FOR_MS) ?? []).map((suffix) => `${identityKey}${suffix}`);
    },
  };
}

/** Rooms of one identity, the one that was used longest ago first. */
class JoinedRooms {
  readonly #usedAt = new Map<string, number>();
  #nameBytes = 0;

  get isEmpty(): boolean {
    return this.#usedAt.size === 0;
  }

  /** Bytes that it takes, about. */
  get size(): number {
    return IDENTITY_OVERHEAD_BYTES + this.#nameBytes + this.#usedAt.size * ROOM_OVERHEAD_BYTES;
  }

  use(suffix: string, at: number): void {
    this.leave(suffix); // so that the newest comes last
    this.#usedAt.set(suffix, at);
    this.#nameBytes += Buffer.byteLength(suffix);
  }

  leave(suffix: string): void {
    if (this.#usedAt.delete(suffix)) this.#nameBytes -= Buffer.byteLength(suffix);
  }

  trim({ rooms, nameBytes }: RoomMemoryLimits): void {
    for (const oldest of this.#usedAt.keys()) {
      if (this.#usedAt.size <= rooms && this.#nameBytes <= nameBytes) return;
      this.leave(oldest);
    }
  }

  /** The most recently used first. */
  usedSince(time: number): string[] {
    return [...this.#usedAt]
      .filter(([, at]) => at >= time)
      .map(([suffix]) => suffix)
      .reverse();
  }
}
