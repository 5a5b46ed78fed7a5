import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { formatRoomName, getField } from '@messagebox/messages';
import { getRateLimitedLog, type RememberedRoom, ROOM_MEMORY_LIMITS } from '@messagebox/shared';
import { enterRoom, isRoomFull } from './enter-room.js';
import type { EventContext, EventHandler } from './event-context.js';
import { canHearRoom } from './own-room.js';

/** The real client waits 5 s for its answer. Rooms that take longer than this are joined after the answer. */
const RESTORE_TIMEOUT_MS = 2_000;
const RESTORE_RETRY_AFTER_MS = 2_000;

/**
 * `authenticated {identityKey}` → `authenticationSuccess {status: 'success'}`, or `authenticationFailed {reason}`.
 *
 * The identityKey must be the one that the signatures have proven already. The first such event of a connection joins
 * the rooms that clients of the identity had joined before, because the real client does not rejoin them itself. What was
 * stored since is replayed to it, also where the client has joined a room itself in the meantime.
 */
export const authenticated: EventHandler = async (context, socket, data) => {
  const claimed = getField(data, 'identityKey');
  const { identityKey } = socket;
  if (identityKey === undefined || claimed !== identityKey) {
    const reason =
      typeof claimed === 'string' ? 'The identityKey does not match the session.' : 'The identityKey is missing.';
    getRateLimitedLog(context.log).write('info', { socket: socket.id, event: 'authenticated' }, 'event refused');
    socket.emit('authenticationFailed', { reason });
    return;
  }
  if (!context.restoring.has(socket)) {
    const restoring = waitAtMost(restoreUntilDone(context, socket, identityKey), RESTORE_TIMEOUT_MS);
    context.restoring.set(socket, restoring);
    await restoring;
  }
  socket.emit('authenticationSuccess', { status: 'success' });
};

/** Never rejects, because a socket without its rooms still works: the client can join them itself. */
async function restoreUntilDone(context: EventContext, socket: AuthSocket, identityKey: string): Promise<void> {
  const restore = async () => restoreRooms(context, socket, await recall(context, socket, identityKey));
  if (await restore()) {
    context.restores.add(socket, async () => {
      await restore();
    });
    return;
  }
  setTimeout(() => {
    if (socket.connected) void restoreUntilDone(context, socket, identityKey);
  }, RESTORE_RETRY_AFTER_MS).unref();
}

/** Undefined when the room memory or the store does not answer. */
async function recall(
  { memory, store, log }: EventContext,
  socket: AuthSocket,
  identityKey: string,
): Promise<RememberedRoom[] | undefined> {
  try {
    // A room that only this connection has joined is new to the client, which lists it first.
    const [remembered, lostAfter] = await Promise.all([memory.recall(identityKey, socket.id), memory.findLoss()]);
    if (lostAfter === undefined) return remembered;
    const boxes = await store.listBoxNames(identityKey, ROOM_MEMORY_LIMITS.rooms);
    return addBoxes(
      remembered,
      boxes.map((box) => formatRoomName(identityKey, box)),
      lostAfter,
    );
  } catch (error) {
    log.debug({ reason: String(error) }, 'could not recall rooms');
    return undefined;
  }
}

/**
 * The rooms to restore while room memory may lack some: those of all boxes of the identity, as if each connection had joined
 * them. A client ignores the events of rooms that it has not joined.
 */
function addBoxes(
  remembered: readonly RememberedRoom[],
  boxes: readonly string[],
  lostAfter: number,
): RememberedRoom[] {
  const known = new Set(remembered.map(({ room }) => room));
  return [
    ...remembered.map(({ room, since }) => ({ room, since: Math.min(since ?? lostAfter, lostAfter) })),
    ...boxes.filter((room) => !known.has(room)).map((room) => ({ room, since: lostAfter })),
  ];
}

/** Never rejects. @returns whether the socket is in its rooms */
async function restoreRooms(
  context: EventContext,
  socket: AuthSocket,
  remembered: readonly RememberedRoom[] | undefined,
): Promise<boolean> {
  if (remembered === undefined) return false;
  const rooms = remembered
    // Older versions may have remembered rooms that clients cannot hear.
    .filter(({ room }) => canHearRoom(room))
    .slice(0, context.maxRooms)
    // Other sockets of the identity hear a full room. A client that needs it joins it, and gets the refusal.
    .filter(({ room }) => !isRoomFull(context, socket, room));
  const missed = rooms.flatMap(({ room, since }) =>
    since === undefined || context.replays.isRestored(socket, { room, since }) ? [] : [{ room, since }],
  );
  const unknown = rooms.map(({ room }) => room).filter((room) => !context.connectionRooms.has(socket, room));
  const entered = new Set([...unknown, ...missed.map(({ room }) => room)]);
  for (const { room } of missed) context.replays.holds.hold(socket, room);
  try {
    await Promise.all([...entered].map((room) => enterRoom(context, socket, room)));
  } catch (error) {
    for (const { room } of missed) context.replays.holds.release(socket, room);
    context.log.debug({ reason: String(error) }, 'could not restore rooms');
    return false;
  }
  context.replays.restore(socket, missed);
  // The most recently used last.
  void context.connectionRooms.join(socket, unknown.reverse());
  return true;
}

async function waitAtMost(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
