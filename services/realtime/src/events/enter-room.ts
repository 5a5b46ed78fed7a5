import type { AuthSocket } from '@messagebox/brc103';
import type { EventParts } from './event-parts.js';

/** Puts a socket into a room of its own identity; resolves when nothing that is stored from now on will be missed. */
export async function enterRoom(parts: EventParts, socket: AuthSocket, room: string): Promise<void> {
  socket.join(room);
  await parts.rooms.ready(socket.namespace, room);
}
