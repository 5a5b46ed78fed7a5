import type { Logger } from 'pino';
import type { Server } from 'socket.io';
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
}): RoomEventPublisher {
  return {
    publish(event: RoomEvent): void {
      const bytes = Buffer.byteLength(event.body);
      if (bytes > parts.maxBodyBytes) {
        parts.log.info({ bytes, limit: parts.maxBodyBytes }, 'message is too large to be pushed; it can be listed');
        return;
      }
      const room = roomName(event.recipient, event.messageBox);
      const { sender, messageId, body } = event;
      for (const namespace of parts.namespaces) {
        parts.io
          .of(namespace)
          .to(room)
          .emit(`sendMessage-${room}`, { sender, messageId, body, messageBox: event.messageBox });
      }
    },
  };
}
