import type { AuthSocket } from '@messagebox/brc103';
import { limitedLines, limitOfCode } from '@messagebox/shared';
import { echo } from './echo.js';
import { enterRoom, isRoomFull } from './enter-room.js';
import type { EventHandler, EventParts } from './event-parts.js';
import { canHearRoom, ownRoom } from './own-room.js';

/**
 * `joinRoom "KEY-box"` → `joinedRoom {roomId}` once nothing can be missed any more, or `joinFailed {reason, roomId, code}`.
 *
 * Codes: `ERR_WEBSOCKET_INVALID_ROOM` and `ERR_WEBSOCKET_ROOM_NOT_OWNED` are for good; `ERR_TOO_MANY_ROOMS` and `ERR_TOO_MANY_SOCKETS` are not.
 */
export const joinRoom: EventHandler = async (parts, socket, roomId) => {
  const own = ownRoom(parts, socket, roomId);
  if (!('room' in own)) return fail(parts, socket, 'join', roomId, own);
  const { room } = own;
  if (!canHearRoom(room)) {
    const reason =
      'Nothing can be pushed for a box of this name, which is too long or holds control characters. List it.';
    return fail(parts, socket, 'join', roomId, { code: 'ERR_WEBSOCKET_INVALID_ROOM', reason });
  }
  if (!socket.isIn(room) && socket.rooms.length >= parts.maxRooms) {
    const reason = `One connection may join ${parts.maxRooms} rooms.`;
    return fail(parts, socket, 'join', roomId, { code: 'ERR_TOO_MANY_ROOMS', reason });
  }
  if (isRoomFull(parts, socket, room)) {
    const reason = `A room may have ${parts.maxSocketsInRoom} connections here. List its box.`;
    return fail(parts, socket, 'join', roomId, { code: 'ERR_TOO_MANY_SOCKETS', reason });
  }
  await enterRoom(parts, socket, room);
  if (socket.identityKey !== undefined) {
    // Only a convenience for reconnects: without it the room is joined all the same.
    parts.memory
      .remember(socket.identityKey, [room])
      .catch((error: unknown) => parts.log.debug({ reason: String(error) }, 'could not remember a room'));
  }
  socket.emit('joinedRoom', { roomId });
};

/** `leaveRoom "KEY-box"` → `leftRoom {roomId}`, or `leaveFailed {reason, roomId, code}`. */
export const leaveRoom: EventHandler = async (parts, socket, roomId) => {
  const own = ownRoom(parts, socket, roomId);
  if (!('room' in own)) return fail(parts, socket, 'leave', roomId, own);
  if (socket.identityKey === undefined) return;
  socket.leave(own.room);
  parts.memory
    .forget(socket.identityKey, own.room)
    .catch((error: unknown) => parts.log.debug({ reason: String(error) }, 'could not forget a room'));
  socket.emit('leftRoom', { roomId });
};

function fail(
  parts: EventParts,
  socket: AuthSocket,
  what: 'join' | 'leave',
  roomId: unknown,
  { code, reason }: { readonly code: string; readonly reason: string },
): void {
  const limit = limitOfCode(code);
  if (limit !== undefined) parts.limitsHit.count(limit);
  limitedLines(parts.log).write('info', { socket: socket.id, event: `${what}Room`, code, limit }, 'event refused');
  socket.emit(`${what}Failed`, { reason, roomId: echo(roomId), code });
}
