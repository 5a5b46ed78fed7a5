import { isPushable, isSpeakableEventName } from '@messagebox/brc103';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import type { Metrics } from '../metrics/metrics.js';
import { pushEventName, roomName } from '../rules/names.js';
import type { RoomEvent, RoomEventPublisher } from './room-events.js';

/**
 * Publishes through a socket.io server and whatever adapter it has: in process, or Redis. The server needs no HTTP
 * server of its own, so an api instance can publish, too.
 *
 * What the clients in use can't take is not pushed, since it would end their connections: events of more than 1 MiB as
 * they are encoded, and names that are too long or hold control characters.
 *
 * @param isAlone whether all listeners are on this very server: nothing is encoded for rooms where nobody is
 * @param maxBodyBytes bodies above it are not pushed; the recipient finds them by listing
 * @param namespaces where listeners are
 */
export function socketIoPublisher(parts: {
  readonly io: Server;
  readonly namespaces: readonly string[];
  readonly isAlone?: boolean;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}): RoomEventPublisher {
  const listening = (room: string) =>
    parts.isAlone === true
      ? parts.namespaces.filter((namespace) => parts.io.of(namespace).adapter.rooms.has(room))
      : parts.namespaces;
  return {
    publish(event: RoomEvent): void {
      const { sender, messageId, body, messageBox } = event;
      const room = roomName(event.recipient, messageBox);
      const namespaces = listening(room);
      if (namespaces.length === 0) {
        parts.metrics.published.inc({ outcome: 'nobody' });
        return;
      }
      const name = pushEventName(room);
      const data = { sender, messageId, body, messageBox };
      const outcome = outcomeOf(name, data, parts.maxBodyBytes);
      parts.metrics.published.inc({ outcome });
      if (outcome !== 'published') {
        const level = outcome === 'too_large' ? 'info' : 'debug';
        parts.log[level]({ outcome, bytes: Buffer.byteLength(body) }, 'a message is not pushed live; it can be listed');
        return;
      }
      for (const namespace of namespaces) {
        // The time travels beside the event, for the receiving instance's metrics; clients don't see it.
        parts.io.of(namespace).to(room).emit(name, data, Date.now());
      }
    },
  };
}

function outcomeOf(
  name: string,
  data: { readonly body: string } & Readonly<Record<string, string>>,
  maxBodyBytes: number,
): 'published' | 'too_large' | 'unspeakable' {
  if (!isSpeakableEventName(name)) return 'unspeakable';
  return Buffer.byteLength(data.body) <= maxBodyBytes && isPushable(name, data) ? 'published' : 'too_large';
}
