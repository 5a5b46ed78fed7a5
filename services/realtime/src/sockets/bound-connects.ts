import type { Server } from 'socket.io';

/** CONNECT packets that one connection may send, whatever namespaces they ask for. */
export const MAX_CONNECTS = 16;
/** Characters of a namespace's name: it comes back in the answer. */
const MAX_NAMESPACE_CHARACTERS = 1_024;
/** How socket.io writes the type of a CONNECT packet. */
const CONNECT = '0';

/** What this file needs of an engine.io connection. */
interface Connection {
  prependListener(event: 'data', listener: (data: unknown) => void): void;
  removeAllListeners(event: 'data'): void;
  close(discard: true): void;
}

/**
 * Ends connections that ask for namespaces again and again. One request can hold thousands of CONNECT packets, each of
 * which makes a socket or an answer, and answers wait in memory for a client that does not poll.
 *
 * @param io attached to its HTTP server
 * @param onExceeded called when a connection is ended for it
 */
export function boundConnects(io: Server, onExceeded: () => void): void {
  io.engine.on('connection', (connection: Connection) => {
    let connects = 0;
    const end = () => {
      // What came in the same request is not handed on any more; the request itself is still answered.
      connection.removeAllListeners('data');
      setImmediate(() => connection.close(true));
      onExceeded();
    };
    connection.prependListener('data', (data) => {
      if (typeof data !== 'string' || !data.startsWith(CONNECT)) return;
      connects += 1;
      if (connects > MAX_CONNECTS || namespaceLength(data) > MAX_NAMESPACE_CHARACTERS) end();
    });
  });
}

function namespaceLength(packet: string): number {
  if (packet[1] !== '/') return 0;
  const end = packet.indexOf(',');
  return (end < 0 ? packet.length : end) - 1;
}
