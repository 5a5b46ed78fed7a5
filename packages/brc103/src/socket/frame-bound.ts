import type { Socket } from 'socket.io';

/**
 * Bounds what one frame of a connection may hold, below the server's `maxHttpBufferSize`: for sockets that have not
 * proven who they are. Works for long polling and for websockets, also across the upgrade.
 *
 * engine.io has one bound for all connections and none for each, so this reaches into the transports; a test fails if
 * a new version of them no longer obeys.
 *
 * @returns lifts the bound
 */
export function boundFrames(connection: Socket['conn'], bytes: number, lifted: number): () => void {
  let bound = bytes;
  const apply = (transport: unknown) => {
    const { socket, maxHttpBufferSize } = transport as TransportInternals;
    if (maxHttpBufferSize !== undefined) (transport as TransportInternals).maxHttpBufferSize = bound;
    if (socket?._receiver !== undefined) socket._receiver._maxPayload = bound;
  };
  apply(connection.transport);
  connection.on('upgrading', apply);
  connection.on('upgrade', apply);
  return () => {
    bound = lifted;
    apply(connection.transport);
  };
}

interface TransportInternals {
  maxHttpBufferSize?: number;
  socket?: { _receiver?: { _maxPayload: number } };
}
