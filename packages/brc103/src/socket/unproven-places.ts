import type { Socket } from 'socket.io';
import { abortConnection } from './frame-bound.js';

/**
 * Gives a place to a socket that has proven nothing yet.
 *
 * @param evict ends the socket's connection, when its place is given to another
 * @returns gives the place back; undefined when there is none for this socket now
 */
export type AdmitUnproven = (socket: Socket, evict: () => void) => (() => void) | undefined;

/** Takes so many sockets, whoever they are of. */
export function admitUpTo(max: number): AdmitUnproven {
  let taken = 0;
  return () => {
    if (taken >= max) return undefined;
    taken += 1;
    return () => {
      taken -= 1;
    };
  };
}

/**
 * Which sockets have proven no identity yet, from the moment that they are admitted to a namespace: one request can ask
 * for many at once, so whoever is admitted is counted in the same step.
 */
export class UnprovenPlaces {
  readonly #releases = new Map<Socket, () => void>();
  /** Namespaces that a connection is being admitted to. */
  readonly #pending = new WeakMap<Socket['client'], Set<string>>();

  constructor(private readonly admit: AdmitUnproven) {}

  get size(): number {
    return this.#releases.size;
  }

  /**
   * A client asks for a namespace. To be called as the namespace's middleware.
   *
   * @returns why it is refused
   */
  enter(socket: Socket): Error | undefined {
    const { client, conn, nsp } = socket;
    if (conn.readyState !== 'open') return new Error('The connection has ended.');
    const pending = this.#pending.get(client) ?? new Set();
    if (pending.has(nsp.name) || isIn(client, nsp.name)) {
      conn.close(true);
      return new Error('This namespace was asked for already.');
    }
    const release = this.admit(socket, () => abortConnection(conn));
    if (release === undefined) return new Error('Too many connections wait for authentication. Try again later.');
    this.#pending.set(client, pending.add(nsp.name));
    // Unless it connects, its connection's end is the only sign of it.
    const leave = () => this.leave(socket);
    conn.once('close', leave);
    this.#releases.set(socket, () => {
      conn.off('close', leave);
      pending.delete(nsp.name);
      release();
    });
    return undefined;
  }

  /** The socket is in its namespace now. */
  connected({ client, nsp }: Socket): void {
    this.#pending.get(client)?.delete(nsp.name);
  }

  /** The socket has proven its identity, or has ended. */
  leave(socket: Socket): void {
    const release = this.#releases.get(socket);
    this.#releases.delete(socket);
    release?.();
  }
}

function isIn(client: Socket['client'], namespace: string): boolean {
  return (client as unknown as { readonly nsps: ReadonlyMap<string, Socket> }).nsps.has(namespace);
}
