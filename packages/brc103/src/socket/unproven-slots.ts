import type { Socket } from 'socket.io';
import type { Client } from './connect-turns.js';
import { abortConnection } from './frame-size-limit.js';

/**
 * Admits a socket whose identity is not proven yet.
 *
 * @param evict closes the socket's connection, when its place is given to another socket
 * @returns a function that frees the place; undefined when the socket is not admitted
 */
export type AdmitUnproven = (socket: Socket, evict: () => void) => (() => void) | undefined;

/** Admits up to `max` sockets, of any clients. */
export function createUnprovenLimit(max: number): AdmitUnproven {
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
 * Counts the sockets without a proven identity, from their admission to a namespace. One request can ask for many namespaces
 * at once, so each socket is counted in the same step in which it is admitted.
 */
export class UnprovenSlots {
  readonly #releases = new Map<Socket, () => void>();
  /** Namespaces that a connection is being admitted to. */
  readonly #pending = new WeakMap<Client, Set<string>>();

  constructor(private readonly admit: AdmitUnproven) {}

  /** The number of admitted sockets without a proven identity. */
  get size(): number {
    return this.#releases.size;
  }

  /**
   * Records that a client asks for a namespace.
   *
   * @returns false when it asks twice for the same one; its connection is closed then
   */
  recordRequest(client: Client, namespace: string): boolean {
    const pending = this.#pending.get(client) ?? new Set();
    if (pending.has(namespace) || isInNamespace(client, namespace)) {
      client.conn.close(true);
      return false;
    }
    this.#pending.set(client, pending.add(namespace));
    return true;
  }

  /**
   * Admits a socket to the namespace that its client has asked for.
   *
   * @returns the reason when the socket is refused
   */
  acquire(socket: Socket): Error | undefined {
    const { conn } = socket;
    if (conn.readyState !== 'open') return new Error('The connection has ended.');
    const release = this.admit(socket, () => abortConnection(conn));
    if (release === undefined) {
      this.markConnected(socket);
      return new Error('Too many connections wait for authentication. Try again later.');
    }
    // If the socket never connects, the end of its connection is the only event that frees the place.
    const leave = () => this.release(socket);
    conn.once('close', leave);
    this.#releases.set(socket, () => {
      conn.off('close', leave);
      this.markConnected(socket);
      release();
    });
    return undefined;
  }

  /** Records that the socket's request for its namespace was answered. */
  markConnected({ client, nsp }: Socket): void {
    const pending = this.#pending.get(client);
    pending?.delete(nsp.name);
    if (pending?.size === 0) this.#pending.delete(client);
  }

  /** Frees the place of a socket that has proven its identity or has closed. */
  release(socket: Socket): void {
    const release = this.#releases.get(socket);
    this.#releases.delete(socket);
    release?.();
  }
}

function isInNamespace(client: Client, namespace: string): boolean {
  return (client as unknown as { readonly nsps: ReadonlyMap<string, Socket> }).nsps.has(namespace);
}
