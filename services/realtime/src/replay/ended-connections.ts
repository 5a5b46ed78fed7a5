import { ROOM_MEMORY_LIMITS } from '@messagebox/shared';
import { LRUCache } from 'lru-cache';

/** The limits of {@link EndedConnections}. `docs/limits.md` lists them. */
export const ENDED_LIMITS = { identities: 10_000, bytes: 16_777_216, ms: 15 * 60_000 } as const;

/** Approximate size in memory of an identity and of a room, without their names. */
const OVERHEAD_BYTES = 100;

/** The rooms of the connections of one identity that have ended. */
export interface EndedRooms {
  /** The name of the last connection. */
  readonly connection: string;
  /** The most recently joined last. */
  readonly rooms: readonly string[];
  /** The lowest position of the connections. */
  readonly position: number;
}

/** Knows the rooms of the connections that have ended on this instance within the last minutes, by identity. */
export class EndedConnections {
  readonly #identities: LRUCache<string, EndedRooms>;

  /** @param now milliseconds of a clock that is never set back */
  constructor(
    limits: { readonly identities: number; readonly bytes: number; readonly ms: number } = ENDED_LIMITS,
    now: () => number = () => performance.now(),
  ) {
    this.#identities = new LRUCache({
      max: limits.identities,
      maxSize: limits.bytes,
      ttl: limits.ms,
      ttlResolution: 0,
      perf: { now },
      sizeCalculation: ({ rooms }) =>
        rooms.reduce((sum, room) => sum + Buffer.byteLength(room) + OVERHEAD_BYTES, OVERHEAD_BYTES),
    });
  }

  /** Of an identity, the most recently joined rooms are kept. */
  add(identityKey: string, { connection, rooms, position }: EndedRooms): void {
    const known = this.#identities.get(identityKey);
    const all = [...new Set([...(known?.rooms ?? []), ...rooms])];
    this.#identities.set(identityKey, {
      connection,
      rooms: all.slice(-ROOM_MEMORY_LIMITS.rooms),
      position: Math.min(known?.position ?? position, position),
    });
  }

  /** By identity. Those whose connections have ended last are last. */
  list(): [identityKey: string, EndedRooms][] {
    return [...this.#identities.entries()].reverse();
  }
}
