import { type AuthSocket, isSpeakableEventName } from '@messagebox/brc103';
import { isName, type NormaliseKey, pushEventName, roomName, splitRoomName } from '@messagebox/shared';

/** Why a room can't be joined or left: clients don't ask again for one that is refused with such a code. */
export interface RoomRefusal {
  readonly code: 'ERR_WEBSOCKET_INVALID_ROOM' | 'ERR_WEBSOCKET_ROOM_NOT_OWNED';
  readonly reason: string;
}

/** The canonical name of a room of the socket's own identity, or why the text names none. */
export function ownRoom(
  parts: { readonly normaliseKey: NormaliseKey },
  socket: AuthSocket,
  roomId: unknown,
): { readonly room: string } | RoomRefusal {
  const named = splitRoomName(roomId);
  const key = named === undefined ? undefined : parts.normaliseKey(named.identityKey);
  if (named === undefined || key === undefined || !isName(named.messageBox)) {
    return { code: 'ERR_WEBSOCKET_INVALID_ROOM', reason: 'A room is YOURKEY-messageBox.' };
  }
  if (key !== socket.identityKey) {
    return { code: 'ERR_WEBSOCKET_ROOM_NOT_OWNED', reason: 'Only rooms of your own identity can be joined and left.' };
  }
  return { room: roomName(key, named.messageBox) };
}

/** Whether clients take the event by which this room's messages are pushed. */
export function canHearRoom(room: string): boolean {
  return isSpeakableEventName(pushEventName(room));
}
