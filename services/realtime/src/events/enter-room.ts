import type { AuthSocket } from '@messagebox/brc103/socket-io';
import type { EventContext } from './event-context.js';

/** Whether a room has no place for this socket on this instance. Reports the limit when that is so. */
export function isRoomFull(context: EventContext, socket: AuthSocket, room: string): boolean {
  if (socket.isIn(room) || context.countSocketsIn(room) < context.maxSocketsInRoom) return false;
  context.limitsHit.report('sockets_in_room');
  return true;
}

/** Joins a room of the socket's own identity. Resolves when the socket will hear every message stored from now on. */
export async function enterRoom(context: EventContext, socket: AuthSocket, room: string): Promise<void> {
  socket.join(room);
  // A closed socket joins nothing, and nothing would end a subscription that was made for it.
  if (!socket.isIn(room)) return;
  await context.rooms.waitUntilReady(socket.namespace, room);
}
