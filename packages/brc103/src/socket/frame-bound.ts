import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

export interface FrameWatch {
  /** Bytes of one frame. */
  readonly maxFrameBytes: number;
  /**
   * Told how many bytes of a frame that is still coming are held.
   *
   * @returns false to refuse the frame
   */
  receiving(bytes: number): boolean;
}

/**
 * Bounds what one frame of a connection may hold, and watches how much of a frame that is still coming is really held:
 * a length that is only announced costs nothing. Works for long polling and for websockets, also across the upgrade.
 *
 * engine.io has one bound for all connections and none for each, so this reaches into the transports; tests fail if a new
 * version of them no longer obeys.
 *
 * @returns `abort` ends the connection at once, and with it what is held; `release` lets go of the connection, which may
 * outlive the socket
 */
export function boundFrames(connection: Socket['conn'], watch: FrameWatch): { abort(): void; release(): void } {
  const watched = new Map<unknown, { stop(): void; held: number }>();
  let isWatching = true;
  const apply = (transport: unknown) => {
    const internals = transport as TransportInternals;
    if (internals.socket?._receiver !== undefined) internals.socket._receiver._maxPayload = watch.maxFrameBytes;
    else internals.maxHttpBufferSize = watch.maxFrameBytes;
    if (!isWatching || watched.has(transport)) return;
    const entry: { stop(): void; held: number } = { stop: () => undefined, held: 0 };
    watched.set(transport, entry);
    const note = (bytes: number) => {
      entry.held = bytes;
      let all = 0;
      for (const { held } of watched.values()) all += held;
      return !isWatching || watch.receiving(all);
    };
    entry.stop = internals.socket === undefined ? watchPolling(internals, note) : watchWebsocket(internals, note);
  };
  apply(connection.transport);
  connection.on('upgrading', apply);
  connection.on('upgrade', apply);
  return {
    abort: () => abortConnection(connection),
    release() {
      isWatching = false;
      for (const { stop } of watched.values()) stop();
      watched.clear();
      connection.off('upgrading', apply);
      connection.off('upgrade', apply);
    },
  };
}

/** Ends a connection at once, whatever waits on it. */
export function abortConnection(connection: Socket['conn']): void {
  const tcp = (connection.transport as unknown as TransportInternals).socket?._socket;
  connection.close(true);
  // A websocket would wait for its client's goodbye, which can't come before the end of the frame that it is sending.
  tcp?.destroy();
}

/** Told how many bytes of a frame are held. @returns false to refuse the frame */
type Note = (bytes: number) => boolean;

function watchWebsocket({ socket }: TransportInternals, note: Note): () => void {
  const tcp = socket?._socket;
  const receiver = socket?._receiver;
  if (tcp === undefined || receiver === undefined) return () => undefined;
  // Behind the websocket's own listener: what it has not made a message of by now, it holds.
  const look = () => {
    if (!note(receiver._bufferedBytes + receiver._messageLength)) tcp.destroy();
  };
  tcp.on('data', look);
  return () => void tcp.off('data', look);
}

function watchPolling(transport: TransportInternals, note: Note): () => void {
  const receive = transport.onDataRequest;
  if (receive === undefined) return () => undefined;
  transport.onDataRequest = (request: IncomingMessage, response: ServerResponse) => {
    let held = 0;
    // Before engine.io's own listener, which then finds its bound exceeded, answers 413 and lets go of the request.
    request.on('data', (chunk: string | Buffer) => {
      held += Buffer.byteLength(chunk);
      if (!note(held)) transport.maxHttpBufferSize = 0;
    });
    let isOver = false;
    const end = () => {
      if (!isOver) note(0);
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

interface TransportInternals {
  maxHttpBufferSize?: number;
  onDataRequest?: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined;
  socket?: {
    _socket?: TcpSocket;
    _receiver?: { _maxPayload: number; _bufferedBytes: number; _messageLength: number };
  };
}
