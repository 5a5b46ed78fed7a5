/**
 * Remembers which rooms an identity's clients have joined and not left.
 *
 * The real client does not join its rooms again on the connection that follows a lost one, so the server does it for
 * them. A convenience, not a source of truth: what is forgotten costs live delivery until the next join, no message.
 *
 * Bounds: {@link ROOM_MEMORY_LIMITS}, and {@link REMEMBERED_FOR_MS} since the last sign of use. Identities are free to
 * make, so what all of them take together is bounded as well: those that have not been used for longest are forgotten.
 */
export interface RoomMemory {
  /** Notes the rooms as in use now. Only rooms of this identity are remembered: `KEY-box`. */
  remember(identityKey: string, rooms: readonly string[]): Promise<void>;
  forget(identityKey: string, room: string): Promise<void>;
  /** @returns the rooms in use, the most recently used first */
  recall(identityKey: string): Promise<string[]>;
}

export interface RoomMemoryLimits {
  /** Rooms of one identity; the most recently used are kept. */
  readonly rooms: number;
  /** Bytes of their names, without the identity's key. */
  readonly nameBytes: number;
  readonly identities: number;
  /** Bytes of all identities together, by an estimate of what they take in memory. */
  readonly totalBytes: number;
}

export const ROOM_MEMORY_LIMITS: RoomMemoryLimits = {
  rooms: 500,
  nameBytes: 8_192,
  identities: 20_000,
  totalBytes: 67_108_864,
};
export const REMEMBERED_FOR_MS = 24 * 3_600_000;

/** What a remembered room takes beside the bytes of its name, about. */
export const ROOM_OVERHEAD_BYTES = 100;
/** What an identity with rooms takes beside them, about. */
export const IDENTITY_OVERHEAD_BYTES = 500;

/** What is kept of a room: all but the identity's key, which is known. Undefined for a room of somebody else. */
export function suffixOf(identityKey: string, room: string): string | undefined {
  return room.startsWith(`${identityKey}-`) ? room.slice(identityKey.length) : undefined;
}
