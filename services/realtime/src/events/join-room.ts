import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { findLimitByErrorCode, getField, isCursor } from '@messagebox/messages';
import { getRateLimitedLog } from '@messagebox/shared';
import { echoText } from './echo-text.js';
import { enterRoom, isRoomFull } from './enter-room.js';
import type { EventContext, EventHandler } from './event-context.js';
import { canHearRoom, getRequestedRoom, resolveOwnRoom } from './own-room.js';

/**
 * `joinRoom "KEY-box"` → `joinedRoom {roomId}` once no message can be missed, or `joinFailed {reason, roomId, code}`. Nothing
 * is replayed because of it; `authenticated` replays the rooms of a client that has come back.
 *
 * `joinRoom {roomId, after}` → the same, and then the messages of the box after that cursor, as if they were live, and
 * `roomRecovered {roomId, after, complete, skipped}`. When it is not `complete`, the client continues with the new `after`, or
 * lists; it lists the `skipped` ones in any case, which carry a payment or are too large.
 *
 * The codes `ERR_WEBSOCKET_INVALID_ROOM`, `ERR_WEBSOCKET_ROOM_NOT_OWNED` and `ERR_INVALID_AFTER` stay true;
 * `ERR_TOO_MANY_ROOMS`, `ERR_TOO_MANY_SOCKETS` and `ERR_TOO_MANY_REPLAYS` are temporary.
 */
export const joinRoom: EventHandler = async (context, socket, data) => {
  const roomId = getRequestedRoom(data);
  const own = resolveOwnRoom(context, socket, roomId);
  if (!('room' in own)) return refuseRoomEvent(context, socket, 'join', roomId, own);
  const { room } = own;
  if (!canHearRoom(room)) {
    const reason =
      'This box has no live delivery: its name is too long or has control characters. List the box instead.';
    return refuseRoomEvent(context, socket, 'join', roomId, { code: 'ERR_WEBSOCKET_INVALID_ROOM', reason });
  }
  if (!socket.isIn(room) && socket.rooms.length >= context.maxRooms) {
    const reason = `One connection may join at most ${context.maxRooms} rooms.`;
    return refuseRoomEvent(context, socket, 'join', roomId, { code: 'ERR_TOO_MANY_ROOMS', reason });
  }
  if (isRoomFull(context, socket, room)) {
    const reason = `One instance serves at most ${context.maxSocketsInRoom} connections per room. List the box instead.`;
    return refuseRoomEvent(context, socket, 'join', roomId, { code: 'ERR_TOO_MANY_SOCKETS', reason });
  }
  if (typeof data === 'string') {
    holdWhileRestoring(context, socket, room);
    await enterAndRemember(context, socket, room);
    socket.emit('joinedRoom', { roomId });
    return;
  }
  const after = getField(data, 'after');
  if (!isCursor(after)) {
    const reason = 'after must be the cursor of a message, or 0 for all messages.';
    return refuseRoomEvent(context, socket, 'join', roomId, { code: 'ERR_INVALID_AFTER', reason });
  }
  const leavePlace = context.replays.takePlace(socket);
  if (leavePlace === undefined) {
    const reason = 'Too many replays are in progress for this connection or identity. Try again later.';
    return refuseRoomEvent(context, socket, 'join', roomId, { code: 'ERR_TOO_MANY_REPLAYS', reason });
  }
  const { replays } = context;
  replays.holds.hold(socket, room);
  try {
    await enterAndRemember(context, socket, room);
  } catch (error) {
    replays.holds.release(socket, room);
    leavePlace();
    throw error;
  }
  socket.emit('joinedRoom', { roomId });
  // Later events of the room, such as a leave, do not wait for the replay.
  void replays.ask(socket, room, after).then((recovered) => {
    leavePlace();
    socket.emit('roomRecovered', { roomId, ...recovered });
  });
};

/** Until it is known whether the room is to be replayed, its live events wait: older messages come before them then. */
function holdWhileRestoring({ restoring, replays }: EventContext, socket: AuthSocket, room: string): void {
  const restored = restoring.get(socket);
  if (restored === undefined) return;
  replays.holds.hold(socket, room);
  void restored.then(() => replays.holds.release(socket, room));
}

async function enterAndRemember(context: EventContext, socket: AuthSocket, room: string): Promise<void> {
  await enterRoom(context, socket, room);
  // Room memory is only a convenience for reconnects. The join succeeds without it.
  void context.connectionRooms.join(socket, [room]);
}

/** `leaveRoom "KEY-box"` → `leftRoom {roomId}`, or `leaveFailed {reason, roomId, code}`. */
export const leaveRoom: EventHandler = async (context, socket, roomId) => {
  const own = resolveOwnRoom(context, socket, roomId);
  if (!('room' in own)) return refuseRoomEvent(context, socket, 'leave', roomId, own);
  if (socket.identityKey === undefined) return;
  socket.leave(own.room);
  context.restores.delete(socket);
  context.connectionRooms.leave(socket, own.room);
  socket.emit('leftRoom', { roomId });
};

function refuseRoomEvent(
  context: EventContext,
  socket: AuthSocket,
  action: 'join' | 'leave',
  roomId: unknown,
  { code, reason }: { readonly code: string; readonly reason: string },
): void {
  const limit = findLimitByErrorCode(code);
  if (limit !== undefined) context.limitsHit.count(limit);
  getRateLimitedLog(context.log).write(
    'info',
    { socket: socket.id, event: `${action}Room`, code, limit },
    'event refused',
  );
  socket.emit(`${action}Failed`, { reason, roomId: echoText(roomId), code });
}
