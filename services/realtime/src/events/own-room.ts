import { type AuthSocket, isAcceptedEventName } from '@messagebox/brc103/socket-io';
import {
  formatPushEventName,
  formatRoomName,
  getField,
  isName,
  type NormaliseKey,
  parseRoomName,
} from '@messagebox/messages';

/** Why a room can't be joined or left. Clients do not try again after such a code. */
export interface RoomRefusal {
  readonly code: 'ERR_WEBSOCKET_INVALID_ROOM' | 'ERR_WEBSOCKET_ROOM_NOT_OWNED';
  readonly reason: string;
}

/** Returns the canonical name of a room of the socket's own identity, or why `roomId` is not such a room. */
export function resolveOwnRoom(
  options: { readonly normaliseKey: NormaliseKey },
  socket: AuthSocket,
  roomId: unknown,
): { readonly room: string } | RoomRefusal {
  const named = parseRoomName(roomId);
  const key = named === undefined ? undefined : options.normaliseKey(named.identityKey);
  if (named === undefined || key === undefined || !isName(named.messageBox)) {
    return { code: 'ERR_WEBSOCKET_INVALID_ROOM', reason: 'The roomId must be YOURKEY-messageBox.' };
  }
  if (key !== socket.identityKey) {
    return { code: 'ERR_WEBSOCKET_ROOM_NOT_OWNED', reason: 'You can join and leave only rooms of your own identity.' };
  }
  return { room: formatRoomName(key, named.messageBox) };
}

/** The room that a request names: the data itself, or its field `roomId` when it has a cursor as well. */
export function getRequestedRoom(data: unknown): unknown {
  return getField(data, 'after') === undefined ? data : getField(data, 'roomId');
}

/** Whether clients accept the name of the event that delivers the messages of this room. */
export function canHearRoom(room: string): boolean {
  return isAcceptedEventName(formatPushEventName(room));
}
