import type { Socket } from 'socket.io';
import type { EncodedPacket } from './server-frames.js';

/** The transport below a socket: writes encoded packets, and counts the bytes that it still buffers. */
export class SocketTransport {
  #bufferedBytes = 0;
  readonly #onDrain = () => {
    this.#bufferedBytes = 0;
  };

  constructor(private readonly socket: Socket) {
    socket.conn.on('drain', this.#onDrain);
  }

  /** Bytes that were written since the transport was empty the last time. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Whether a packet that is written now goes straight to the operating system. */
  get isIdle(): boolean {
    const { conn } = this.socket;
    return conn.transport.writable && (conn as unknown as ConnectionInternals).writeBuffer.length === 0;
  }

  /** Whether the connection is still in a namespace of socket.io. */
  get hasNamespace(): boolean {
    return (this.socket.client as unknown as ClientInternals).sockets.size > 0;
  }

  /** Counts bytes that are about to be written. */
  addBufferedBytes(bytes: number): void {
    this.#bufferedBytes += bytes;
  }

  /** Hands an encoded packet to the connection, as the adapters of socket.io do with broadcasts. */
  write(packet: EncodedPacket): void {
    const { client, conn } = this.socket;
    if (conn.readyState !== 'open') return;
    const { name, perMessageDeflate } = conn.transport as unknown as TransportInternals;
    // A websocket sends the frame and ignores the text, unless it compresses.
    const text = name === 'websocket' && !perMessageDeflate ? '' : packet.text;
    (client as unknown as ClientInternals).writeToEngine([text], { wsPreEncodedFrame: packet.websocketFrame });
  }

  /** Stops counting. The connection may outlive the socket. */
  release(): void {
    this.socket.conn.off('drain', this.#onDrain);
  }
}

interface ConnectionInternals {
  /** Packets that engine.io keeps until the transport can take them. */
  readonly writeBuffer: readonly unknown[];
}

interface TransportInternals {
  readonly name: string;
  readonly perMessageDeflate?: unknown;
}

interface ClientInternals {
  /** The sockets of the connection, one for each namespace. */
  readonly sockets: ReadonlyMap<string, Socket>;
  writeToEngine(packets: string[], options: object): void;
}
