import type { AuthSocketServer } from '@messagebox/brc103/socket-io';
import type { Metrics } from '@messagebox/shared';
import type { Server } from 'socket.io';
import type { FrameMemory } from './frame-memory.js';

export interface SocketGaugesOptions {
  readonly io: Server;
  readonly namespaces: readonly string[];
  readonly sockets: AuthSocketServer;
  readonly frameMemory: FrameMemory;
}

/** Adds the gauges of this instance's sockets. They are computed when the metrics are read. */
export function addSocketGauges(metrics: Metrics, options: SocketGaugesOptions): void {
  const { io, namespaces, sockets, frameMemory } = options;
  metrics.addLabelledGauge('messagebox_sockets', 'Open sockets, by whether their identity is proven.', 'state', () => ({
    proven: sockets.provenCount,
    unproven: sockets.unprovenCount,
  }));
  metrics.addGauge('messagebox_rooms', 'Rooms with a socket on this instance.', () => {
    let rooms = 0;
    for (const namespace of namespaces) {
      const { adapter } = io.of(namespace);
      rooms += adapter.rooms.size - adapter.sids.size; // socket.io also makes one room for each socket
    }
    return rooms;
  });
  metrics.addGauge(
    'messagebox_socket_frame_bytes',
    'Bytes of the shared frame memory that unfinished frames occupy.',
    () => frameMemory.usedBytes,
  );
  metrics.addLabelledGauge('messagebox_socket_buffered_bytes', 'Bytes that wait for slow clients.', 'of', () => {
    const bytes = [...sockets].map((socket) => socket.bufferedBytes);
    return { all: bytes.reduce((sum, n) => sum + n, 0), slowest: Math.max(0, ...bytes) };
  });
}
