import type { Namespace, Socket } from 'socket.io';
import { EncodedEvent } from './encoded-event.js';

/**
 * Makes room broadcasts reach each local socket through `deliver`, which signs for that socket, in place of being
 * written to all of them alike. Whoever broadcasts, here or on another instance through whatever adapter is installed,
 * goes on using `namespace.to(room).emit(event, data)`.
 *
 * Every socket.io adapter ends in the same local fan-out (`apply`), which visits the matching sockets; the visitor of a
 * broadcast announces the packet to the socket (`notifyOutgoingListeners`) and then writes its encoded form
 * (`client.writeToEngine`). Each socket is shown to visitors with these two replaced, and all else as it was.
 */
export function signBroadcasts(namespace: Namespace, deliver: Deliver): void {
  const adapter = namespace.adapter as unknown as LocalFanOut;
  const apply = adapter.apply.bind(adapter);
  adapter.apply = (options, visit) => {
    const encode = encodeOnce();
    apply(options, (socket) => visit(outletOf(socket, encode, deliver)));
  };
}

/**
 * @param event its name
 * @param meta what the broadcaster gave behind the data: for the receiving server, not for its client
 */
export type Deliver = (socket: Socket, event: string, encoded: EncodedEvent, meta: unknown) => void;

type Encode = (event: string, data: unknown) => EncodedEvent;

/** All sockets that one broadcast visits are shown the same event. */
function encodeOnce(): Encode {
  let last: { event: string; data: unknown; encoded: EncodedEvent } | undefined;
  return (event, data) => {
    if (last?.event !== event || last.data !== data) last = { event, data, encoded: new EncodedEvent(event, data) };
    return last.encoded;
  };
}

interface LocalFanOut {
  apply(options: unknown, visit: (socket: Socket) => void): void;
}

function outletOf(socket: Socket, encode: Encode, deliver: Deliver): Socket {
  return Object.create(socket, {
    notifyOutgoingListeners: {
      value: (packet: { data?: unknown }) => {
        if (!Array.isArray(packet.data)) return;
        const [event, data, meta] = packet.data as unknown[];
        if (typeof event === 'string') deliver(socket, event, encode(event, data), meta);
      },
    },
    client: { value: Object.create(socket.client, { writeToEngine: { value: () => undefined } }) },
  }) as Socket;
}
