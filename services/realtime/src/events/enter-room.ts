import type { AuthSocket } from '@messagebox/brc103';
import type { EventParts } from './event-parts.js';

/** Whether one more socket would be too many for a room. */
export function isRoomFull(parts: EventParts, socket: AuthSocket, room: string): boolean {
  if (socket.isIn(room) || parts.socketsIn(room) < parts.maxSocketsInRoom) return false;
  parts.limitsHit.hit('sockets_in_room');
  return true;
}

/** Puts a socket into a room of its own identity; resolves when nothing that is stored from now on will be missed. */
export async function enterRoom(parts: EventParts, socket: AuthSocket, room: string): Promise<void> {
  socket.join(room);
  // A socket that has ended meanwhile joins nothing, and a subscription made for it would never be ended.
  if (!socket.isIn(room)) return;
  await parts.rooms.ready(socket.namespace, room);
}
