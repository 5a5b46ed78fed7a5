import type { Socket } from 'socket.io';

/** Arrays that socket.io, its parser and engine.io push to. Private there. */
interface SocketInternals {
  _anyListeners: unknown[];
  readonly client: { readonly decoder: { readonly _callbacks: Record<string, unknown[]> } };
  readonly conn: { cleanupFn: unknown[] };
}

/**
 * Gives the arrays of one connection exactly the room that they need. The libraries create them empty, and an array that one
 * element was pushed to has room for seventeen. An idle connection is mostly memory.
 */
export function compactArrays(socket: Socket): void {
  const internals = socket as unknown as SocketInternals;
  const { client, conn } = internals;
  internals._anyListeners = [...internals._anyListeners];
  conn.cleanupFn = [...conn.cleanupFn];
  const { _callbacks: callbacks } = client.decoder;
  for (const [name, listeners] of Object.entries(callbacks)) callbacks[name] = [...listeners];
}
