import type { Namespace, Socket } from 'socket.io';

/** A connection of engine.io, as socket.io sees it. It has one socket for each of its namespaces. */
export type Client = Socket['client'];

/**
 * Asks before a client gets a socket in this namespace. socket.io would create the socket first, in the step that reads the
 * packet: when thousands of clients connect in one moment, nobody else would be served until all of their sockets are there.
 * Nothing overtakes a request that waits, because until it is answered socket.io takes no other packet for the namespace.
 *
 * @param admit must not reject. When it resolves to false, the request has no effect
 */
export function admitBeforeConnect(namespace: Namespace, admit: (client: Client) => Promise<boolean>): void {
  const internals = namespace as unknown as NamespaceInternals;
  const add = internals._add.bind(namespace);
  internals._add = async (client, auth, onConnected) => {
    if (await admit(client)) await add(client, auth, onConnected);
  };
}

interface NamespaceInternals {
  /** Creates the socket, runs the middleware and connects. */
  _add(client: Client, auth: object, onConnected: (socket: Socket) => void): Promise<void>;
}
