import type { AuthSocket } from '@messagebox/brc103';
import { field } from '@messagebox/shared';
import { enterRoom } from './enter-room.js';
import type { EventHandler, EventParts } from './event-parts.js';

/** The real client gives up after 5 s: rooms that take longer are joined after the answer. */
const RESTORE_PATIENCE_MS = 2_000;
const RETRY_RESTORE_MS = 2_000;

/**
 * `authenticated {identityKey}`: the client names the identity that its signatures have proven already.
 * Joins the rooms that the identity's clients had joined before, since the real client does not do so again by itself.
 */
export const authenticated: EventHandler = async (parts, socket, data) => {
  const claimed = field(data, 'identityKey');
  const { identityKey } = socket;
  if (identityKey === undefined || claimed !== identityKey) {
    const reason =
      typeof claimed === 'string' ? 'The identityKey is not the one of this session.' : 'identityKey is missing.';
    parts.log.info({ socket: socket.id, event: 'authenticated' }, 'event refused');
    socket.emit('authenticationFailed', { reason });
    return;
  }
  await settledOrLate(restoreRooms(parts, socket, identityKey), RESTORE_PATIENCE_MS);
  socket.emit('authenticationSuccess', { status: 'success' });
};

async function restoreRooms(parts: EventParts, socket: AuthSocket, identityKey: string): Promise<void> {
  let rooms: string[];
  try {
    rooms = await parts.memory.recall(identityKey);
  } catch (error) {
    parts.log.debug({ reason: String(error) }, 'could not recall rooms; trying again');
    setTimeout(() => void (socket.connected && restoreRooms(parts, socket, identityKey)), RETRY_RESTORE_MS).unref();
    return;
  }
  await Promise.all(rooms.slice(0, parts.maxRooms).map((room) => enterRoom(parts, socket, room)));
}

async function settledOrLate(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
