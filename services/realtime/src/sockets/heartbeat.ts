import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Server } from 'socket.io';
import { readConnectionId } from './connection-id.js';

/** When either side takes a connection for dead, in milliseconds. Clients get the first two values at the handshake. */
export interface Heartbeat {
  /** How long after the last pong the next ping is sent. */
  readonly pingInterval: number;
  /**
   * How long to wait for the pong. A client of socket.io closes a connection when no ping has arrived for pingInterval +
   * pingTimeout. A ping cannot overtake a frame, so this sum limits how long one frame may take to a client.
   */
  readonly pingTimeout: number;
  /** How often to check whether bytes arrive while a pong is awaited. */
  readonly checkInterval: number;
}

/**
 * The largest event makes a frame of 4.2 MB, which takes 64 s at 64 KB/s; a client waits for 85 s. A peer that vanishes is
 * detected within 100 s of its last byte.
 */
export const DEFAULT_HEARTBEAT: Heartbeat = { pingInterval: 25_000, pingTimeout: 60_000, checkInterval: 15_000 };

/** A ping goes in front of each frame that is larger, and at least one among this many characters of smaller frames. */
const MAX_CHARACTERS_PER_PING = 262_144;
/** At most this much is deferred to the next long poll, because brc103 counts deferred frames as sent. */
const MAX_DEFERRED_CHARACTERS = 16_777_216;

const NO_PACKETS: readonly Packet[] = [];

interface Packet {
  readonly type: string;
  readonly data?: unknown;
  readonly options?: { readonly wsPreEncodedFrame?: readonly Buffer[] };
}

/** The members of an engine.io connection that this file uses. `writeBuffer` and `sendPacket` are private there. */
interface EngineConnection {
  readonly id: string;
  readonly readyState: string;
  readonly request: IncomingMessage;
  readonly transport: EventEmitter & { readonly name: string };
  /** Packets that wait until the transport is writable. */
  readonly writeBuffer: Packet[];
  /** Emitted for each packet, before it is added to the buffer. */
  on(event: 'packetCreate', listener: (this: EngineConnection, packet: Packet) => void): void;
  /** Emitted with the buffer before the whole buffer goes to the transport. */
  on(event: 'flush', listener: (this: EngineConnection, buffer: Packet[]) => void): void;
  /** `heartbeat` is emitted for each pong. */
  on(event: 'drain' | 'heartbeat' | 'close', listener: (this: EngineConnection) => void): void;
  sendPacket(type: 'ping'): void;
}

/**
 * Keeps connections alive while the bytes of a frame are under way. engine.io's pings and pongs queue behind frames, and on
 * a slow line a frame takes longer than either side waits for them.
 *
 * From client to server: bytes that arrive while a pong is awaited count as the pong. Pings then continue, which the client
 * needs. From server to client: a ping goes in front of each large frame, so that the client's timeout covers that frame
 * alone. A client sees the answer to a long poll only when it is complete, so one answer has at most one large frame.
 *
 * @param io attached to its HTTP server
 */
export function keepAlive(io: Server, { checkInterval }: Heartbeat): void {
  const heartbeats = new Map<string, ConnectionHeartbeat>();
  io.engine.on('connection', (connection: EngineConnection) => {
    heartbeats.set(connection.id, new ConnectionHeartbeat(connection, checkInterval));
    connection.on('packetCreate', beforeSend);
    connection.on('heartbeat', stopWaiting);
    connection.on('flush', deferRest);
    connection.on('drain', addDeferred);
    connection.on('close', forget);
  });
  // The listeners are the same functions for all connections, because an idle connection is mostly memory.
  function beforeSend(this: EngineConnection, packet: Packet): void {
    heartbeats.get(this.id)?.beforeSend(packet);
  }
  function stopWaiting(this: EngineConnection): void {
    heartbeats.get(this.id)?.stop();
  }
  function deferRest(this: EngineConnection, buffer: Packet[]): void {
    heartbeats.get(this.id)?.deferRest(buffer);
  }
  function addDeferred(this: EngineConnection): void {
    heartbeats.get(this.id)?.addDeferred();
  }
  function forget(this: EngineConnection): void {
    heartbeats.get(this.id)?.stop();
    heartbeats.delete(this.id);
  }
  // This middleware sees long polls, posts and upgrades, including those that other instances forward.
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const heartbeat = heartbeats.get(readConnectionId(request.url) ?? '');
    if (heartbeat !== undefined) {
      const carrier = request.headers.upgrade === undefined ? response : request.socket;
      carrier.once('close', heartbeat.watch(request.socket));
    }
    next();
  });
}

interface WatchedConnection {
  readonly socket: TcpSocket;
  /** How many bytes the socket had received at the last check. */
  bytesRead: number;
}

class ConnectionHeartbeat {
  /** The TCP connections that carry data of the client. An array, as that is smaller than a map. Most have one entry. */
  #watched: readonly WatchedConnection[] = [];
  #checkTimer: NodeJS.Timeout | undefined;
  #charactersSincePing = 0;
  /** Packets for the next long poll. */
  #deferred: readonly Packet[] = NO_PACKETS;

  constructor(
    private readonly connection: EngineConnection,
    private readonly checkInterval: number,
  ) {
    if (connection.transport.name === 'websocket') this.watch(connection.request.socket);
  }

  /** @returns ends the watch; to be called when the TCP connection carries no more data of this client */
  watch(socket: TcpSocket): () => void {
    const watched = { socket, bytesRead: socket.bytesRead };
    this.#watched = this.#watched.filter((other) => other.socket !== socket).concat(watched);
    return () => {
      this.#watched = this.#watched.filter((other) => other.socket !== socket);
    };
  }

  /** Stops waiting for a pong. */
  stop(): void {
    clearTimeout(this.#checkTimer);
    this.#checkTimer = undefined;
  }

  /** To be called for each packet before it is added to the buffer. */
  beforeSend(packet: Packet): void {
    if (packet.type === 'ping') {
      this.#recordPing();
      return;
    }
    const length = getPacketLength(packet);
    if (this.#charactersSincePing + length > MAX_CHARACTERS_PER_PING) this.#sendPing();
    this.#charactersSincePing += length;
  }

  #recordPing(): void {
    this.#charactersSincePing = 0;
    this.#awaitPong();
  }

  /**
   * On a websocket, the ping is written together with the packet that is about to be added. A ping by itself would keep the
   * transport busy, so the frames of many sockets would wait, and then all be written at once.
   */
  #sendPing(): void {
    if (this.connection.transport.name !== 'websocket') {
      this.connection.sendPacket('ping');
      return;
    }
    this.connection.writeBuffer.push({ type: 'ping', options: {} });
    this.#recordPing();
  }

  /** To be called with the buffer before the whole buffer goes to the transport. */
  deferRest(buffer: Packet[]): void {
    // When the connection is closing, all packets go at once.
    if (this.connection.transport.name !== 'polling' || this.connection.readyState !== 'open') return;
    let sent = 0;
    let left = buffer.reduce((sum, packet) => sum + getPacketLength(packet), 0);
    const end = buffer.findIndex((packet) => {
      const length = getPacketLength(packet);
      if (sent > 0 && sent + length > MAX_CHARACTERS_PER_PING && left <= MAX_DEFERRED_CHARACTERS) return true;
      sent += length;
      left -= length;
      return false;
    });
    if (end > 0) this.#deferred = this.#deferred.concat(buffer.splice(end));
  }

  /** To be called when the buffer has gone to the transport. */
  addDeferred(): void {
    if (this.#deferred.length === 0) return;
    this.connection.writeBuffer.push(...this.#deferred);
    this.#deferred = NO_PACKETS;
  }

  #awaitPong(): void {
    if (this.#checkTimer !== undefined) return;
    this.#haveBytesArrived();
    const check = () => {
      // As for a real pong: the timeout ends, and the next ping follows after the interval.
      if (this.#haveBytesArrived()) this.connection.transport.emit('packet', { type: 'pong' });
      else this.#checkTimer = setTimeout(check, this.checkInterval);
    };
    this.#checkTimer = setTimeout(check, this.checkInterval);
  }

  #haveBytesArrived(): boolean {
    let haveArrived = false;
    for (const watched of this.#watched) {
      if (watched.socket.bytesRead > watched.bytesRead) haveArrived = true;
      watched.bytesRead = watched.socket.bytesRead;
    }
    return haveArrived;
  }
}

/** Frames are JSON and mostly numbers, so a character is a byte. */
function getPacketLength({ data, options }: Packet): number {
  if (typeof data === 'string') return data.length;
  return options?.wsPreEncodedFrame?.reduce((sum, { length }) => sum + length, 0) ?? 0;
}
