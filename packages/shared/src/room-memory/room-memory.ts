/**
 * Remembers which rooms each connection of an identity has joined and not left, and what it must have received.
 *
 * The published client does not join its rooms again when it reconnects, so the server joins them for it, and pushes what was
 * stored in the meantime. When a room is forgotten, live delivery to it pauses until the next join, but no message is lost.
 *
 * A client that comes back makes a new connection with a new session, so the server cannot tell which of the identity's
 * devices it is. Therefore the rooms of all its connections are recalled, open ones and those that ended within
 * {@link ROOM_RETENTION_MS}. A room that one connection leaves stays remembered as long as another connection has it.
 *
 * A position is a row id of the store: everything up to it has reached the connection. Only the position of the process is
 * renewed. It counts for all its open connections, and stays what it was when the process dies.
 *
 * The limits are {@link ROOM_MEMORY_LIMITS} and {@link ROOM_RETENTION_MS} since the last use. Anybody can make identities, so
 * the memory of all identities together is limited as well, and the least recently used ones are forgotten.
 */
export interface RoomMemory {
  /**
   * Marks rooms as joined by a connection of this process, and as used now. Rooms of other identities are ignored: a room's
   * name is `KEY-box`.
   *
   * @param connection a unique name of 1 to 64 characters: letters, digits, `_` and `-`
   * @param position of a connection that is frozen or has ended. Default: that of the process, which is renewed
   */
  remember(identityKey: string, connection: string, rooms: readonly string[], position?: number): Promise<void>;
  /** A connection of this process has left a room. It is forgotten unless another connection has it. */
  forget(identityKey: string, connection: string, room: string): Promise<void>;
  /**
   * Keeps the position of a connection of this process as it is now, because its client does not keep up. The next
   * `remember` renews it again.
   */
  freeze(identityKey: string, connection: string): Promise<void>;
  /** A connection of this process has ended. Its rooms stay remembered with its position of now. */
  end(identityKey: string, connection: string): Promise<void>;
  /**
   * Renews the position of all open connections of this process. When it fails, the earlier positions stay valid, and rooms
   * that are remembered from then on count with the new one.
   *
   * @param position a row id that is not lower than the last one
   * @returns whether all that this process has remembered is there. False when the memory may have lost it, or when it could
   *   not be written. Then the process remembers its rooms again
   */
  renew(position: number): Promise<boolean>;
  /**
   * @param exceptConnection whose position does not count. It may have joined rooms just now
   * @returns the rooms in use, the most recently used first
   */
  recall(identityKey: string, exceptConnection?: string): Promise<RememberedRoom[]>;
  /**
   * Says whether the memory was found to be empty within the last {@link LOSS_KEPT_MS}. Then it may lack the rooms of
   * connections that nobody could write again: those of a process that was killed or stopped at the same time.
   *
   * @returns the position of the process that has found it: everything after it may have been missed. Undefined: no loss is known
   */
  findLoss(): Promise<number | undefined>;
  /** Calls the listener whenever the memory can be reached again. @returns removes the listener */
  onReachable(listener: () => void): () => void;
}

/** A room that an identity's connections have joined. */
export interface RememberedRoom {
  /** `KEY-box`. */
  readonly room: string;
  /**
   * The lowest position of its connections. Undefined when none is known, for example for a room that an earlier version has
   * remembered.
   */
  readonly since: number | undefined;
}

export interface RoomMemoryLimits {
  /** Rooms of one identity. The most recently used ones are kept. */
  readonly rooms: number;
  /** Bytes of the names of one identity's rooms, without the identity key. */
  readonly nameBytes: number;
  /**
   * Connections of one identity whose rooms are known, and hours in which some have ended. Without its record, a
   * connection's rooms are forgotten when another one leaves them, and its position is not known.
   */
  readonly connections: number;
  /** Bytes of the records of one identity's connections. */
  readonly connectionBytes: number;
  readonly identities: number;
  /** Approximate bytes in memory of all identities together. */
  readonly totalBytes: number;
}

export const ROOM_MEMORY_LIMITS: RoomMemoryLimits = {
  rooms: 500,
  nameBytes: 8_192,
  connections: 64,
  connectionBytes: 16_384,
  identities: 20_000,
  totalBytes: 67_108_864,
};
export const ROOM_RETENTION_MS = 24 * 3_600_000;
/** As long as instances keep the rooms of connections that have ended. */
export const LOSS_KEPT_MS = 15 * 60_000;
/** Connections that end within the same hour share a record, with the lowest of their positions. */
export const ENDED_RECORD_MS = 3_600_000;

/** Approximate size in memory of a room or a connection, without its name and its rooms. */
export const ROOM_OVERHEAD_BYTES = 100;
/** Approximate size in memory of an identity, without its rooms. */
export const IDENTITY_OVERHEAD_BYTES = 500;
/** Approximate size in memory of a room in the record of a connection. */
export const ROOM_DIGEST_LENGTH = 10;

/** The stored part of a room's name: all but the identity key. Undefined for a room of another identity. */
export function toRoomSuffix(identityKey: string, room: string): string | undefined {
  return room.startsWith(`${identityKey}-`) ? room.slice(identityKey.length) : undefined;
}

/** The name of the record of the connections that end at this time. No connection has such a name. */
export function formatEndedRecordName(now: number): string {
  return `ended:${Math.floor(now / ENDED_RECORD_MS)}`;
}
