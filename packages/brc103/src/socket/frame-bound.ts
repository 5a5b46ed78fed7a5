import type { Socket } from 'socket.io';

/**
 * Bounds what one frame of a connection may hold, below the server's `maxHttpBufferSize`: for sockets that have not
 * proven who they are. Works for long polling and for websockets, also across the upgrade.
 *
 * engine.io has one bound for all connections and none for each, so this reaches into the transports; a test fails if
 * a new version of them no longer obeys.
 *
 * @returns `lift` sets the bound to `lifted`; `release` lets go of the connection, which may outlive the socket
 */
export function boundFrames(
  connection: Socket['conn'],
  bytes: number,
  lifted: number,
): { lift(): void; release(): void } {
  let bound = bytes;
  const apply = (transport: unknown) => {
    const { socket, maxHttpBufferSize } = transport as TransportInternals;
    if (maxHttpBufferSize !== undefined) (transport as TransportInternals).maxHttpBufferSize = bound;
    if (socket?._receiver !== undefined) socket._receiver._maxPayload = bound;
  };
  apply(connection.transport);
  connection.on('upgrading', apply);
  connection.on('upgrade', apply);
  return {
    lift() {
      bound = lifted;
      apply(connection.transport);
    },
    release() {
      connection.off('upgrading', apply);
      connection.off('upgrade', apply);
    },
  };
}

interface TransportInternals {
  maxHttpBufferSize?: number;
  socket?: { _receiver?: { _maxPayload: number } };
}
