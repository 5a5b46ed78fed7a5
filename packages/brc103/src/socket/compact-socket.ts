import type { Socket } from 'socket.io';

/** Arrays that socket.io, its parser and engine.io push to, and what they keep for applications. Mostly private there. */
interface SocketInternals {
  _anyListeners: unknown[];
  handshake: object;
  readonly client: { readonly decoder: { readonly _callbacks: Record<string, unknown[]> } };
  readonly conn: { cleanupFn: unknown[] };
}

const NO_HANDSHAKE_DATA = Object.freeze({});

/**
 * Makes one connection smaller, because an idle connection is mostly memory. Its arrays get exactly the room that they need:
 * the libraries create them empty, and an array that one element was pushed to has room for seventeen. What socket.io tells
 * applications of the handshake goes.
 */
export function compactSocket(socket: Socket): void {
  const internals = socket as unknown as SocketInternals;
  const { client, conn } = internals;
  internals.handshake = NO_HANDSHAKE_DATA;
  internals._anyListeners = [...internals._anyListeners];
  conn.cleanupFn = [...conn.cleanupFn];
  const { _callbacks: callbacks } = client.decoder;
  for (const [name, listeners] of Object.entries(callbacks)) callbacks[name] = [...listeners];
}
