import type { AuthSocket } from '@messagebox/brc103';
import { isName, type NormaliseKey, roomName, splitRoomName } from '@messagebox/shared';

/** The canonical name of a room of the socket's own identity, or undefined when the text names none. */
export function ownRoom(
  parts: { readonly normaliseKey: NormaliseKey },
  socket: AuthSocket,
  roomId: unknown,
): string | undefined {
  const room = splitRoomName(roomId);
  if (room === undefined || !isName(room.messageBox)) return undefined;
  const key = parts.normaliseKey(room.identityKey);
  return key !== undefined && key === socket.identityKey ? roomName(key, room.messageBox) : undefined;
}
