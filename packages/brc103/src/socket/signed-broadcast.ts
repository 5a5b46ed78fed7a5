import type { Namespace, Socket } from 'socket.io';
import { EncodedEvent } from './encoded-event.js';

/**
 * Makes broadcasts reach each local socket through `deliver`, which signs them for that socket, instead of writing the same
 * packet to all sockets. Broadcasters use `namespace.to(room).emit(event, data)` as before, on this instance or another one,
 * with any adapter.
 *
 * Every adapter of socket.io ends in the same local fan-out (`apply`), which visits the matching sockets. The visitor of a
 * broadcast announces the packet to the socket (`notifyOutgoingListeners`), and then writes its encoded form
 * (`client.writeToEngine`). Visitors get each socket with these two methods replaced.
 */
export function signBroadcasts(namespace: Namespace, deliver: DeliverBroadcast): void {
  const adapter = namespace.adapter as unknown as AdapterInternals;
  const apply = adapter.apply.bind(adapter);
  adapter.apply = (options, visit) => {
    const toBroadcast = memoizeBroadcast();
    apply(options, (socket) => visit(interceptWrites(socket, toBroadcast, deliver)));
  };
}

/** An event for the sockets of a room. All of them get the same object. */
export interface Broadcast {
  readonly event: string;
  readonly data: unknown;
  /** The argument that the broadcaster passed after the data. It is for the receiving server, not for its clients. */
  readonly meta: unknown;
  /** Encoded at the first use, once for all sockets. */
  readonly encoded: EncodedEvent;
}

/** Delivers a broadcast to one socket. */
export type DeliverBroadcast = (socket: Socket, broadcast: Broadcast) => void;

type ToBroadcast = (event: string, data: unknown, meta: unknown) => Broadcast;

function memoizeBroadcast(): ToBroadcast {
  let last: Broadcast | undefined;
  return (event, data, meta) => {
    if (last?.event !== event || last.data !== data) last = createBroadcast(event, data, meta);
    return last;
  };
}

function createBroadcast(event: string, data: unknown, meta: unknown): Broadcast {
  let encoded: EncodedEvent | undefined;
  return {
    event,
    data,
    meta,
    get encoded() {
      encoded ??= new EncodedEvent(event, data);
      return encoded;
    },
  };
}

interface AdapterInternals {
  apply(options: unknown, visit: (socket: Socket) => void): void;
}

function interceptWrites(socket: Socket, toBroadcast: ToBroadcast, deliver: DeliverBroadcast): Socket {
  return Object.create(socket, {
    notifyOutgoingListeners: {
      value: (packet: { data?: unknown }) => {
        if (!Array.isArray(packet.data)) return;
        const [event, data, meta] = packet.data as unknown[];
        if (typeof event === 'string') deliver(socket, toBroadcast(event, data, meta));
      },
    },
    client: { value: Object.create(socket.client, { writeToEngine: { value: () => undefined } }) },
  }) as Socket;
}
