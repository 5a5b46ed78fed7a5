import type { AuthSocket } from '@messagebox/brc103/socket-io';
import type { Logger, RoomMemory } from '@messagebox/shared';
import { EndedConnections } from './ended-connections.js';

/** Connections whose rooms are remembered at a time, when all are. */
const REFRESH_BATCH = 100;

/**
 * Tells the room memory what the connections of this instance do. Its methods do not reject unless they say so, because sockets
 * work without room memory: only the next connection of the client has to join its rooms itself then.
 *
 * When the memory has lost the rooms, they are written again: those of open connections, and those of connections that have
 * ended lately.
 */
export class ConnectionRooms {
  /** The rooms of sockets that the room memory knows. socket.io forgets those of a socket before it says that it has closed. */
  readonly #rooms = new WeakMap<AuthSocket, Set<string>>();
  readonly #ended = new EndedConnections();
  readonly #frozenAt = new WeakMap<AuthSocket, number>();
  #position: number | undefined;

  /** @param sockets the sockets that are open at the time of iteration */
  constructor(
    private readonly memory: RoomMemory,
    private readonly sockets: Iterable<AuthSocket>,
    private readonly log: Logger,
  ) {}

  /** Whether {@link join} was called for a room, and {@link leave} was not called since. */
  has(socket: AuthSocket, room: string): boolean {
    return this.#rooms.get(socket)?.has(room) === true;
  }

  /** A socket has joined rooms. */
  async join(socket: AuthSocket, rooms: readonly string[]): Promise<void> {
    const { identityKey } = socket;
    if (identityKey === undefined || rooms.length === 0) return;
    const known = this.#rooms.get(socket) ?? new Set();
    for (const room of rooms) known.add(room);
    this.#rooms.set(socket, known);
    const isJoined = this.#write(this.memory.remember(identityKey, socket.id, rooms, this.#frozenAt.get(socket)));
    // The end of a socket that closes while it joins was written before its rooms.
    if (!socket.connected) this.end(socket);
    await isJoined;
  }

  /** A socket has left a room. */
  leave(socket: AuthSocket, room: string): void {
    this.#rooms.get(socket)?.delete(room);
    if (socket.identityKey !== undefined) void this.#write(this.memory.forget(socket.identityKey, socket.id, room));
  }

  /** A socket has closed. */
  end(socket: AuthSocket): void {
    const { identityKey } = socket;
    const rooms = this.#rooms.get(socket);
    if (identityKey === undefined || rooms === undefined) return;
    const position = this.#frozenAt.get(socket) ?? this.#position;
    if (position !== undefined && rooms.size > 0) {
      this.#ended.add(identityKey, { connection: socket.id, rooms: [...rooms], position });
    }
    void this.#write(this.memory.end(identityKey, socket.id));
  }

  /** The client of a socket does not keep up, so its position must not be renewed with the others. */
  freeze(socket: AuthSocket): void {
    if (socket.identityKey === undefined || !this.#rooms.has(socket)) return;
    if (this.#position !== undefined) this.#frozenAt.set(socket, this.#position);
    void this.#write(this.memory.freeze(socket.identityKey, socket.id));
  }

  /** The client of a socket keeps up again. Its position is renewed from now on. */
  async unfreeze(socket: AuthSocket): Promise<void> {
    this.#frozenAt.delete(socket);
    await this.#refresh(socket);
  }

  /** Marks the rooms of all open sockets as in use, some sockets at a time. */
  async refreshAll(): Promise<void> {
    await this.#inBatches([...this.sockets], (socket) => this.#refresh(socket));
  }

  /**
   * Renews the position of all open connections, and writes all rooms again when the memory may have lost them.
   *
   * @returns whether the memory had all rooms
   * @throws what the room memory throws
   */
  async renew(position: number): Promise<boolean> {
    this.#position = position;
    const isComplete = await this.memory.renew(position);
    if (!isComplete) {
      await this.#inBatches(this.#ended.list(), async ([identityKey, { connection, rooms, position: endedAt }]) => {
        const isRemembered = this.#write(this.memory.remember(identityKey, connection, rooms, endedAt));
        await Promise.all([isRemembered, this.#write(this.memory.end(identityKey, connection))]);
      });
      await this.refreshAll();
    }
    return isComplete;
  }

  async #refresh(socket: AuthSocket): Promise<void> {
    if (socket.connected) await this.join(socket, socket.rooms);
  }

  async #inBatches<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
    for (let i = 0; i < all.length; i += REFRESH_BATCH) await Promise.all(all.slice(i, i + REFRESH_BATCH).map(work));
  }

  async #write(write: Promise<void>): Promise<void> {
    try {
      await write;
    } catch (error) {
      this.log.debug({ reason: String(error) }, 'room memory could not be written');
    }
  }
}
