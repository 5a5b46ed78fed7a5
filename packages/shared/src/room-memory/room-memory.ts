/**
 * Remembers which rooms an identity's clients have joined and not left.
 *
 * The real client does not join its rooms again on the connection that follows a lost one, so the server does it for
 * them. A convenience, not a source of truth: what is forgotten costs live delivery until the next join, no message.
 *
 * Bounds: {@link ROOMS_REMEMBERED} rooms for an identity, {@link REMEMBERED_FOR_MS} since the last sign of use.
 */
export interface RoomMemory {
  /** Notes the rooms as in use now. */
  remember(identityKey: string, rooms: readonly string[]): Promise<void>;
  forget(identityKey: string, room: string): Promise<void>;
  /** @returns the rooms in use, the most recently used first */
  recall(identityKey: string): Promise<string[]>;
}

export const ROOMS_REMEMBERED = 1_000;
export const REMEMBERED_FOR_MS = 24 * 3_600_000;
