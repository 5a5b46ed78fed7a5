import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import type { Metrics } from '../metrics/metrics.js';
import { roomName } from '../rules/names.js';
import type { RoomEvent, RoomEventPublisher } from './room-events.js';

/**
 * Publishes through a socket.io server and whatever adapter it has: in process, or Redis. The server needs no HTTP
 * server of its own, so an api instance can publish, too.
 *
 * @param maxBodyBytes bodies above it are not pushed; the recipient finds them by listing
 * @param namespaces where listeners are
 */
export function socketIoPublisher(parts: {
  readonly io: Server;
  readonly namespaces: readonly string[];
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}): RoomEventPublisher {
  return {
    publish(event: RoomEvent): void {
      const bytes = Buffer.byteLength(event.body);
      const fits = bytes <= parts.maxBodyBytes;
      parts.metrics.published.inc({ outcome: fits ? 'published' : 'too_large' });
      if (!fits) {
        parts.log.info({ bytes, limit: parts.maxBodyBytes }, 'message is too large to be pushed; it can be listed');
        return;
      }
      const room = roomName(event.recipient, event.messageBox);
      const { sender, messageId, body } = event;
      for (const namespace of parts.namespaces) {
        parts.io
          .of(namespace)
          .to(room)
          // The time travels beside the event, for the receiving instance's metrics; clients don't see it.
          .emit(`sendMessage-${room}`, { sender, messageId, body, messageBox: event.messageBox }, Date.now());
      }
    },
  };
}
