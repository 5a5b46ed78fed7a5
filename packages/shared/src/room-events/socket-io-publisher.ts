import { formatRoomName, type RoomEvent, type RoomEventPublisher } from '@messagebox/messages';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import type { Metrics } from '../metrics/metrics.js';
import { NO_TRACER, type Tracer } from '../tracing/tracer.js';
import { createPushEvent } from './push-event.js';
import { toPushMeta } from './push-meta.js';

/**
 * Publishes room events through a socket.io server with any adapter. The server needs no HTTP server, so an api instance can
 * publish as well.
 *
 * Events that known clients cannot receive are not published, because they would end the clients' connections: events of
 * more than 1 MiB when encoded, and event names that are too long or contain control characters.
 *
 * @param isAlone whether all listeners are at this server; then nothing is encoded for empty rooms
 * @param maxBodyBytes larger bodies are not published; the recipient receives them by listing
 * @param namespaces the namespaces of the listeners
 */
export function createSocketIoPublisher(options: {
  readonly io: Server;
  readonly namespaces: readonly string[];
  readonly isAlone?: boolean;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracer?: Tracer;
}): RoomEventPublisher {
  const tracer = options.tracer ?? NO_TRACER;
  const listeningNamespaces = (room: string) =>
    options.isAlone === true
      ? options.namespaces.filter((namespace) => options.io.of(namespace).adapter.rooms.has(room))
      : options.namespaces;
  return {
    publish(event: RoomEvent): void {
      const namespaces = listeningNamespaces(formatRoomName(event.recipient, event.messageBox));
      if (namespaces.length === 0) {
        options.metrics.published.inc({ outcome: 'nobody' });
        return;
      }
      const { room, name, data, outcome } = createPushEvent(event, options.maxBodyBytes);
      options.metrics.published.inc({ outcome });
      if (outcome !== 'published') {
        const level = outcome === 'too_large' ? 'info' : 'debug';
        options.log[level](
          { outcome, bytes: Buffer.byteLength(event.body) },
          'a message was not delivered live; its recipient can list it',
        );
        return;
      }
      const span = tracer.begin('publish room event', {
        kind: 'producer',
        attributes: { 'messagebox.body.size': Buffer.byteLength(event.body) },
      });
      // The time is for the metrics of the receiving instance.
      const meta = toPushMeta(Date.now(), span.context);
      for (const namespace of namespaces) options.io.of(namespace).to(room).emit(name, data, meta);
      span.end();
    },
  };
}
