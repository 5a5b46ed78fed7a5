import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

/** The limit of {@link limitFrameSize}. */
export interface FrameSizeOptions {
  /** The largest frame. Bytes. */
  readonly maxFrameBytes: number;
  /**
   * Called with the number of bytes of an arriving frame that are in memory.
   *
   * @returns false to refuse the frame
   */
  onFrameBytes(bytes: number): boolean;
}

/**
 * Limits the size of each frame of a connection, and observes how much of an arriving frame is in memory. A length that is
 * only announced does not count. Works for long polling and for websockets, also during the upgrade.
 *
 * engine.io has one limit for all connections and none for each, so this function changes internals of the transports. Tests
 * fail when a new version changes them.
 *
 * @returns `abort` closes the connection at once and frees the memory. `release` stops observing the connection, which may
 *   outlive the socket
 */
export function limitFrameSize(
  connection: Socket['conn'],
  options: FrameSizeOptions,
): { abort(): void; release(): void } {
  // An array, as that is smaller than a map. Most have one entry.
  let watched: readonly WatchedTransport[] = [];
  let isWatching = true;
  const apply = (transport: unknown) => {
    const internals = transport as TransportInternals;
    if (internals.socket?._receiver !== undefined) internals.socket._receiver._maxPayload = options.maxFrameBytes;
    else internals.maxHttpBufferSize = options.maxFrameBytes;
    if (!isWatching || watched.some((other) => other.transport === transport)) return;
    const entry: WatchedTransport = { transport, held: 0, stop: () => undefined };
    watched = watched.concat(entry);
    const report = (bytes: number) => {
      entry.held = bytes;
      let all = 0;
      for (const { held } of watched) all += held;
      return !isWatching || options.onFrameBytes(all);
    };
    entry.stop = internals.socket === undefined ? watchPolling(internals, report) : watchWebsocket(internals, report);
  };
  apply(connection.transport);
  connection.on('upgrading', apply);
  connection.on('upgrade', apply);
  return {
    abort: () => abortConnection(connection),
    release() {
      isWatching = false;
      for (const { stop } of watched) stop();
      watched = [];
      connection.off('upgrading', apply);
      connection.off('upgrade', apply);
    },
  };
}

interface WatchedTransport {
  readonly transport: unknown;
  /** Bytes of an arriving frame that are in memory. */
  held: number;
  stop(): void;
}

/** Closes a connection at once, without sending what is queued. */
export function abortConnection(connection: Socket['conn']): void {
  const tcp = (connection.transport as unknown as TransportInternals).socket?._socket;
  connection.close(true);
  // A websocket would wait for the client's close frame, which cannot arrive before the end of the frame in progress.
  tcp?.destroy();
}

/** Called with the number of bytes of a frame that are in memory. Returns false to refuse the frame. */
type ReportFrameBytes = (bytes: number) => boolean;

function watchWebsocket({ socket }: TransportInternals, report: ReportFrameBytes): () => void {
  const tcp = socket?._socket;
  const receiver = socket?._receiver;
  if (tcp === undefined || receiver === undefined) return () => undefined;
  // Runs after the listener of the websocket, which keeps in memory what does not form a complete message yet.
  const check = () => {
    if (!report(receiver._bufferedBytes + receiver._messageLength)) tcp.destroy();
    // The key of the last frame is a part of what was read from the network, of which the system keeps a page or more.
    if (receiver._state === BETWEEN_FRAMES && receiver._bufferedBytes === 0) receiver._mask = undefined;
  };
  tcp.on('data', check);
  return () => void tcp.off('data', check);
}

function watchPolling(transport: TransportInternals, report: ReportFrameBytes): () => void {
  const receive = transport.onDataRequest;
  if (receive === undefined) return () => undefined;
  transport.onDataRequest = (request: IncomingMessage, response: ServerResponse) => {
    let held = 0;
    // Runs before the listener of engine.io, which then finds its limit exceeded, responds with 413 and drops the request.
    request.on('data', (chunk: string | Buffer) => {
      held += Buffer.byteLength(chunk);
      if (!report(held)) transport.maxHttpBufferSize = 0;
    });
    let isOver = false;
    const end = () => {
      if (!isOver) report(0);
      isOver = true;
    };
    request.once('end', end);
    request.once('close', end);
    return receive.call(transport, request, response);
  };
  return () => {
    delete transport.onDataRequest;
  };
}

/** The state of a receiver of ws that waits for the beginning of a frame. */
const BETWEEN_FRAMES = 0;

interface TransportInternals {
  maxHttpBufferSize?: number;
  onDataRequest?: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined;
  socket?: {
    _socket?: TcpSocket;
    _receiver?: {
      _maxPayload: number;
      readonly _bufferedBytes: number;
      readonly _messageLength: number;
      readonly _state: number;
      _mask: Buffer | undefined;
    };
  };
}
