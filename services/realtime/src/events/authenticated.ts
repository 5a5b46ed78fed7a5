import type { AuthSocket } from '@messagebox/brc103';
import { field, limitedLines } from '@messagebox/shared';
import { enterRoom, isRoomFull } from './enter-room.js';
import type { EventHandler, EventParts } from './event-parts.js';
import { canHearRoom } from './own-room.js';

/** The real client gives up after 5 s: rooms that take longer are joined after the answer. */
const RESTORE_PATIENCE_MS = 2_000;
const RETRY_RESTORE_MS = 2_000;

/**
 * `authenticated {identityKey}`: the client names the identity that its signatures have proven already.
 * Joins the rooms that the identity's clients had joined before, since the real client does not do so again by itself:
 * once for each connection.
 */
export const authenticated: EventHandler = async (parts, socket, data) => {
  const claimed = field(data, 'identityKey');
  const { identityKey } = socket;
  if (identityKey === undefined || claimed !== identityKey) {
    const reason =
      typeof claimed === 'string' ? 'The identityKey is not the one of this session.' : 'identityKey is missing.';
    limitedLines(parts.log).write('info', { socket: socket.id, event: 'authenticated' }, 'event refused');
    socket.emit('authenticationFailed', { reason });
    return;
  }
  if (!parts.restored.has(socket)) {
    parts.restored.add(socket);
    await settledOrLate(restoreRooms(parts, socket, identityKey), RESTORE_PATIENCE_MS);
  }
  socket.emit('authenticationSuccess', { status: 'success' });
};

/** Never rejects: without its rooms a socket is still a good one, and the client can join them itself. */
async function restoreRooms(parts: EventParts, socket: AuthSocket, identityKey: string): Promise<void> {
  try {
    const rooms = await parts.memory.recall(identityKey);
    // An older device may have left one that the devices of today can't hear.
    await Promise.all(
      rooms
        .filter(canHearRoom)
        .slice(0, parts.maxRooms)
        // Others of this identity hear it; a client that needs this one to as well joins, and is told.
        .filter((room) => !isRoomFull(parts, socket, room))
        .map((room) => enterRoom(parts, socket, room)),
    );
  } catch (error) {
    parts.log.debug({ reason: String(error) }, 'could not restore rooms; trying again');
    setTimeout(() => {
      if (socket.connected) void restoreRooms(parts, socket, identityKey);
    }, RETRY_RESTORE_MS).unref();
  }
}

async function settledOrLate(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
