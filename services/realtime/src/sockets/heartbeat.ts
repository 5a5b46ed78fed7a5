import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Server } from 'socket.io';
import { readConnectionId } from './connection-id.js';

/** When connections are found dead, on either side. Clients learn the first two at the handshake. Milliseconds. */
export interface Heartbeat {
  /** How long after the last answer a ping is sent. */
  readonly pingInterval: number;
  /**
   * How long its answer is waited for. socket.io's client ends a connection on which no ping has come for both together,
   * and no ping can overtake a frame: this bounds how long one frame may take to a client.
   */
  readonly pingTimeout: number;
  /** How often to look whether bytes come, while an answer is waited for. */
  readonly lookEvery: number;
}

/**
 * The largest event that is pushed makes a frame of 4.2 MB, which takes 64 s at 64 KB/s; a client waits for 85 s. A peer that is
 * gone without a word is found within 100 s of its last byte.
 */
export const HEARTBEAT: Heartbeat = { pingInterval: 25_000, pingTimeout: 60_000, lookEvery: 15_000 };

/** At least one ping goes in front of each larger frame, and among so many characters of smaller ones. */
const PING_EVERY_CHARACTERS = 262_144;
/** More than this is not kept for the next long poll: who counts what waits for a client (brc103) takes it for sent. */
const MAX_HELD_BACK_CHARACTERS = 16_777_216;

interface Packet {
  readonly type: string;
  readonly data?: unknown;
}

/** What this file needs of an engine.io connection; `writeBuffer` and `sendPacket` are private there. */
interface Connection {
  readonly id: string;
  readonly readyState: string;
  readonly request: IncomingMessage;
  readonly transport: EventEmitter & { readonly name: string };
  /** Packets that wait until the transport can be written to. */
  readonly writeBuffer: Packet[];
  /** Comes for each packet, before it is in the buffer. */
  on(event: 'packetCreate', listener: (packet: Packet) => void): void;
  /** Comes with the buffer before all of it is given to the transport, and then with nothing. */
  on(event: 'flush', listener: (buffer: Packet[]) => void): void;
  on(event: 'drain', listener: () => void): void;
  /** Comes for each pong. */
  on(event: 'heartbeat', listener: () => void): void;
  once(event: 'close', listener: () => void): void;
  sendPacket(type: 'ping'): void;
}

/**
 * Keeps connections alive while bytes of a frame move. engine.io's pings and pongs wait in line with frames, and on slow
 * lines a frame takes longer than either side waits for them.
 *
 * On the way up, bytes that arrive while a pong is awaited count as the pong, so that pings go on, too, which the client needs.
 * On the way down a ping goes in front of each large frame, so that the client's patience is for that frame alone; and since
 * the answer to a long poll is heard when it is whole, it gets no more than one large frame.
 *
 * @param io attached to its HTTP server
 */
export function keepAlive(io: Server, { lookEvery }: Heartbeat): void {
  const heartbeats = new Map<string, ConnectionHeartbeat>();
  io.engine.on('connection', (connection: Connection) => {
    const heartbeat = new ConnectionHeartbeat(connection, lookEvery);
    heartbeats.set(connection.id, heartbeat);
    connection.once('close', () => {
      heartbeats.delete(connection.id);
      heartbeat.stop();
    });
  });
  // Sees long polls, posts and upgrades, also those which other instances pass on.
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const heartbeat = heartbeats.get(readConnectionId(request.url) ?? '');
    if (heartbeat !== undefined) response.once('close', heartbeat.hear(request.socket));
    next();
  });
}

class ConnectionHeartbeat {
  /** Bytes that TCP connections which carry something of the client's had received when they were last looked at. */
  readonly #received = new Map<TcpSocket, number>();
  #looking: NodeJS.Timeout | undefined;
  #sinceLastPing = 0;
  /** What the next long poll gets. */
  readonly #heldBack: Packet[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly lookEvery: number,
  ) {
    if (connection.transport.name === 'websocket') this.hear(connection.request.socket);
    connection.on('packetCreate', (packet) => this.#sending(packet));
    connection.on('heartbeat', () => this.stop());
    connection.on('flush', (buffer) => this.#holdBack(buffer));
    connection.on('drain', () => connection.writeBuffer.push(...this.#heldBack.splice(0)));
  }

  /** @returns to be called when the TCP connection carries nothing of this client any more */
  hear(socket: TcpSocket): () => void {
    this.#received.set(socket, socket.bytesRead);
    return () => this.#received.delete(socket);
  }

  /** Waits for no pong any more. */
  stop(): void {
    clearTimeout(this.#looking);
    this.#looking = undefined;
  }

  #sending(packet: Packet): void {
    if (packet.type === 'ping') {
      this.#sinceLastPing = 0;
      this.#awaitPong();
      return;
    }
    const length = lengthOf(packet);
    if (this.#sinceLastPing + length > PING_EVERY_CHARACTERS) this.connection.sendPacket('ping');
    this.#sinceLastPing += length;
  }

  #holdBack(buffer: Packet[]): void {
    // What is left at the end goes all at once.
    if (this.connection.transport.name !== 'polling' || this.connection.readyState !== 'open') return;
    let given = 0;
    let left = buffer.reduce((sum, packet) => sum + lengthOf(packet), 0);
    const end = buffer.findIndex((packet) => {
      const length = lengthOf(packet);
      if (given > 0 && given + length > PING_EVERY_CHARACTERS && left <= MAX_HELD_BACK_CHARACTERS) return true;
      given += length;
      left -= length;
      return false;
    });
    if (end > 0) this.#heldBack.push(...buffer.splice(end));
  }

  #awaitPong(): void {
    if (this.#looking !== undefined) return;
    this.#haveBytesCome();
    const look = () => {
      // The same as a pong's arrival: the timeout ends, and the next ping is due after the interval.
      if (this.#haveBytesCome()) this.connection.transport.emit('packet', { type: 'pong' });
      else this.#looking = setTimeout(look, this.lookEvery);
    };
    this.#looking = setTimeout(look, this.lookEvery);
  }

  #haveBytesCome(): boolean {
    let haveCome = false;
    for (const [socket, before] of this.#received) {
      if (socket.bytesRead > before) haveCome = true;
      this.#received.set(socket, socket.bytesRead);
    }
    return haveCome;
  }
}

/** Frames are JSON, mostly of numbers: a character is a byte. */
function lengthOf({ data }: Packet): number {
  return typeof data === 'string' ? data.length : 0;
}
