import type { AuthSocket, Broadcast } from '@messagebox/brc103/socket-io';
import { formatPushEventName, getField } from '@messagebox/messages';
import { type ReplayHolds, toEventKey } from './replay-holds.js';

const PUSH_EVENT_PREFIX = formatPushEventName('');

/** Holds a broadcast back from one socket while the room is replayed to it. @returns whether it is held back */
export function holdForReplay(
  holds: ReplayHolds,
  socket: AuthSocket,
  { event, data }: Pick<Broadcast, 'event' | 'data'>,
): boolean {
  if (!event.startsWith(PUSH_EVENT_PREFIX)) return false;
  const [body, cursor, messageId] = [getField(data, 'body'), getField(data, 'after'), getField(data, 'messageId')];
  return holds.offer(socket, event.slice(PUSH_EVENT_PREFIX.length), {
    key: typeof cursor === 'string' && typeof messageId === 'string' ? toEventKey({ cursor, messageId }) : undefined,
    bytes: typeof body === 'string' ? body.length : 0,
    send: () => socket.emit(event, data),
  });
}
