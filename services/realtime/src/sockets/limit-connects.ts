import type { Server } from 'socket.io';

/** CONNECT packets that one connection may send, for all namespaces together. */
export const MAX_CONNECTS = 16;
/** The longest name of a namespace. The answer repeats the name. */
const MAX_NAMESPACE_CHARACTERS = 1_024;
/** The first character of a CONNECT packet of socket.io. */
const CONNECT = '0';

/** The members of an engine.io connection that this file uses. */
interface ConnectingConnection {
  prependListener(event: 'data', listener: (data: unknown) => void): void;
  removeAllListeners(event: 'data'): void;
  close(discard: true): void;
}

/**
 * Ends connections that send too many CONNECT packets. One request can have thousands of them, and each creates a socket
 * or an answer. The answers stay in memory when the client does not poll.
 *
 * @param io attached to its HTTP server
 * @param onExceeded called when a connection is ended for this reason
 */
export function limitConnects(io: Server, onExceeded: () => void): void {
  io.engine.on('connection', (connection: ConnectingConnection) => {
    let connects = 0;
    const end = () => {
      // The rest of the request's packets are ignored. The request itself still gets its answer.
      connection.removeAllListeners('data');
      setImmediate(() => connection.close(true));
      onExceeded();
    };
    connection.prependListener('data', (data) => {
      if (typeof data !== 'string' || !data.startsWith(CONNECT)) return;
      connects += 1;
      if (connects > MAX_CONNECTS || getNamespaceLength(data) > MAX_NAMESPACE_CHARACTERS) end();
    });
  });
}

function getNamespaceLength(packet: string): number {
  if (packet[1] !== '/') return 0;
  const end = packet.indexOf(',');
  return (end < 0 ? packet.length : end) - 1;
}
