import { enterRoom } from './enter-room.js';
import type { EventHandler } from './event-parts.js';
import { ownRoom } from './own-room.js';

/** `joinRoom "KEY-box"` → `joinedRoom {roomId}` once nothing can be missed any more, or `joinFailed {reason}`. */
export const joinRoom: EventHandler = async (parts, socket, roomId) => {
  const room = ownRoom(parts, socket, roomId);
  if (room === undefined) {
    parts.log.info({ socket: socket.id, event: 'joinRoom' }, 'event refused');
    socket.emit('joinFailed', {
      reason: 'A room is YOURKEY-messageBox; only rooms of your own identity can be joined.',
      roomId: echo(roomId),
    });
    return;
  }
  if (!socket.isIn(room) && socket.rooms.length >= parts.maxRooms) {
    parts.log.info({ socket: socket.id, event: 'joinRoom' }, 'event refused');
    socket.emit('joinFailed', { reason: `One connection may join ${parts.maxRooms} rooms.`, roomId });
    return;
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

/** `leaveRoom "KEY-box"` → `leftRoom {roomId}`, or `leaveFailed {reason}`. */
export const leaveRoom: EventHandler = async (parts, socket, roomId) => {
  const room = ownRoom(parts, socket, roomId);
  if (room === undefined || socket.identityKey === undefined) {
    parts.log.info({ socket: socket.id, event: 'leaveRoom' }, 'event refused');
    socket.emit('leaveFailed', {
      reason: 'A room is YOURKEY-messageBox; only rooms of your own identity can be left.',
      roomId: echo(roomId),
    });
    return;
  }
  socket.leave(room);
  parts.memory
    .forget(socket.identityKey, room)
    .catch((error: unknown) => parts.log.debug({ reason: String(error) }, 'could not forget a room'));
  socket.emit('leftRoom', { roomId });
};

/** What may be sent back of a room that was refused: a text of sane size. */
function echo(roomId: unknown): string | undefined {
  return typeof roomId === 'string' && roomId.length <= 2_048 ? roomId : undefined;
}
