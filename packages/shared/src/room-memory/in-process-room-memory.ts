import { LRUCache } from 'lru-cache';
import {
  formatEndedRecordName,
  IDENTITY_OVERHEAD_BYTES,
  ROOM_DIGEST_LENGTH,
  ROOM_MEMORY_LIMITS,
  ROOM_OVERHEAD_BYTES,
  ROOM_RETENTION_MS,
  type RoomMemory,
  type RoomMemoryLimits,
  toRoomSuffix,
} from './room-memory.js';

/** A room memory in this process, for standalone. */
export function createInProcessRoomMemory(
  now: () => number = Date.now,
  limits: RoomMemoryLimits = ROOM_MEMORY_LIMITS,
): RoomMemory {
  let position: number | undefined;
  const identities = new LRUCache<string, JoinedRooms>({
    max: limits.identities,
    maxSize: limits.totalBytes,
    sizeCalculation: (rooms) => rooms.size,
  });
  /** The cache computes a size only when an entry is set. */
  const keep = (identityKey: string, joined: JoinedRooms) => {
    identities.delete(identityKey);
    if (!joined.isEmpty) identities.set(identityKey, joined);
  };
  return {
    async remember(identityKey, connection, rooms, ownPosition) {
      const suffixes = rooms.flatMap((room) => toRoomSuffix(identityKey, room) ?? []);
      if (suffixes.length === 0) return;
      const joined = identities.get(identityKey) ?? new JoinedRooms();
      joined.join(connection, suffixes, now(), limits, ownPosition);
      keep(identityKey, joined);
    },
    async forget(identityKey, connection, room) {
      const joined = identities.get(identityKey);
      const suffix = toRoomSuffix(identityKey, room);
      if (joined === undefined || suffix === undefined) return;
      joined.leave(connection, suffix, now() - ROOM_RETENTION_MS);
      keep(identityKey, joined);
    },
    async freeze(identityKey, connection) {
      identities.get(identityKey)?.freeze(connection, position);
    },
    async end(identityKey, connection) {
      const joined = identities.get(identityKey);
      if (joined === undefined) return;
      joined.end(connection, position, now());
      keep(identityKey, joined);
    },
    async renew(current) {
      position = current;
      return true;
    },
    async recall(identityKey, exceptConnection) {
      const oldest = now() - ROOM_RETENTION_MS;
      const joined = identities.get(identityKey);
      return (joined?.listUsedSince(oldest) ?? []).map((suffix) => ({
        room: `${identityKey}${suffix}`,
        since: joined?.findLowestPosition(suffix, position, oldest, exceptConnection),
      }));
    },
    findLoss: async () => undefined,
    onReachable: () => () => undefined,
  };
}

/** The record of one connection, or of those that ended within an hour. */
interface ConnectionRecord {
  readonly usedAt: number;
  /** Whether the position is that of the process. */
  readonly isRenewed: boolean;
  /** When it is not renewed. Undefined when it is not known. */
  readonly position: number | undefined;
  /** The most recently joined last. */
  readonly rooms: ReadonlySet<string>;
}

/** The rooms of one identity, and those of each of its connections. */
class JoinedRooms {
  /** The least recently used first. */
  readonly #usedAt = new Map<string, number>();
  #nameBytes = 0;
  /** The least recently used first. */
  readonly #connections = new Map<string, ConnectionRecord>();

  get isEmpty(): boolean {
    return this.#usedAt.size === 0;
  }

  /** Approximate size in memory, in bytes. */
  get size(): number {
    return (
      IDENTITY_OVERHEAD_BYTES +
      this.#nameBytes +
      this.#usedAt.size * ROOM_OVERHEAD_BYTES +
      this.#connections.size * ROOM_OVERHEAD_BYTES +
      this.#sumConnectionBytes()
    );
  }

  /** @param position of a connection whose position is not renewed */
  join(
    connection: string,
    suffixes: readonly string[],
    at: number,
    limits: RoomMemoryLimits,
    position: number | undefined,
  ): void {
    for (const suffix of suffixes) {
      this.#remove(suffix); // so that the room moves to the end
      this.#usedAt.set(suffix, at);
      this.#nameBytes += Buffer.byteLength(suffix);
    }
    this.#trimRooms(limits);
    const rooms = [...new Set([...(this.#connections.get(connection)?.rooms ?? []), ...suffixes])];
    const isRenewed = position === undefined;
    const record = { usedAt: at, isRenewed, position, rooms: new Set(rooms.slice(-limits.rooms)) };
    this.#setConnection(connection, record);
    this.#trimConnections(limits, at - ROOM_RETENTION_MS);
  }

  leave(connection: string, suffix: string, oldest: number): void {
    const own = this.#connections.get(connection);
    if (own?.rooms.has(suffix)) {
      const rooms = new Set([...own.rooms].filter((room) => room !== suffix));
      if (rooms.size === 0) this.#connections.delete(connection);
      else this.#connections.set(connection, { ...own, rooms });
    }
    if (this.#listHolders(suffix, oldest).length === 0) this.#remove(suffix);
  }

  /** @param current the position of the process */
  freeze(connection: string, current: number | undefined): void {
    const record = this.#connections.get(connection);
    if (record?.isRenewed) this.#connections.set(connection, { ...record, isRenewed: false, position: current });
  }

  /** @param current the position of the process */
  end(connection: string, current: number | undefined, at: number): void {
    this.freeze(connection, current);
    const ended = this.#connections.get(connection);
    if (ended === undefined) return;
    this.#connections.delete(connection);
    const name = formatEndedRecordName(at);
    const shared = this.#connections.get(name);
    const positions = [ended.position, shared?.position].filter((one) => one !== undefined);
    this.#setConnection(name, {
      usedAt: at,
      isRenewed: false,
      position: positions.length === 0 ? undefined : Math.min(...positions),
      rooms: new Set([...(shared?.rooms ?? []), ...ended.rooms]),
    });
  }

  /** @returns the most recently used first */
  listUsedSince(time: number): string[] {
    return [...this.#usedAt]
      .filter(([, at]) => at >= time)
      .map(([suffix]) => suffix)
      .reverse();
  }

  /** @param current the position of open connections */
  findLowestPosition(
    suffix: string,
    current: number | undefined,
    oldest: number,
    exceptConnection: string | undefined,
  ): number | undefined {
    const positions = this.#listHolders(suffix, oldest, exceptConnection)
      .map(({ isRenewed, position }) => (isRenewed ? current : position))
      .filter((position) => position !== undefined);
    return positions.length === 0 ? undefined : Math.min(...positions);
  }

  #listHolders(suffix: string, oldest: number, exceptConnection?: string): ConnectionRecord[] {
    return [...this.#connections]
      .filter(([name, { usedAt, rooms }]) => name !== exceptConnection && usedAt >= oldest && rooms.has(suffix))
      .map(([, record]) => record);
  }

  #setConnection(name: string, record: ConnectionRecord): void {
    this.#connections.delete(name); // so that it moves to the end
    this.#connections.set(name, record);
  }

  #remove(suffix: string): void {
    if (this.#usedAt.delete(suffix)) this.#nameBytes -= Buffer.byteLength(suffix);
  }

  #trimRooms({ rooms, nameBytes }: RoomMemoryLimits): void {
    for (const oldest of this.#usedAt.keys()) {
      if (this.#usedAt.size <= rooms && this.#nameBytes <= nameBytes) return;
      this.#remove(oldest);
    }
  }

  #trimConnections({ connections, connectionBytes }: RoomMemoryLimits, oldestUse: number): void {
    for (const [name, { usedAt }] of this.#connections) {
      const isWithin = this.#connections.size <= connections && this.#sumConnectionBytes() <= connectionBytes;
      if (isWithin && usedAt >= oldestUse) return;
      this.#connections.delete(name);
    }
  }

  #sumConnectionBytes(): number {
    let bytes = 0;
    for (const [name, { rooms }] of this.#connections) bytes += name.length + rooms.size * ROOM_DIGEST_LENGTH;
    return bytes;
  }
}
