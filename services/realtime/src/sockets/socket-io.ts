import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { corsHeaders, type JsonServer, type RoomEventBroker, sendJson, TooManyRequestsError } from '@messagebox/shared';
import { Server } from 'socket.io';
import type { Admission, AdmittedConnection } from './admission.js';
import { createBoundedParser } from './bounded-parser.js';
import { readConnectionId, SOCKET_IO_PATH } from './connection-id.js';
import { DEFAULT_HEARTBEAT, type Heartbeat, keepAlive } from './heartbeat.js';
import { limitConnects } from './limit-connects.js';

/**
 * Creates a socket.io server with this project's settings. It is not attached to an HTTP server yet.
 *
 * @param maxFrameBytes the largest frame that a new connection may send; a connection can get another limit later
 */
export function createSocketIo(
  broker: RoomEventBroker,
  maxFrameBytes: number,
  { pingInterval, pingTimeout }: Heartbeat = DEFAULT_HEARTBEAT,
): Server {
  return new Server({
    serveClient: false,
    pingInterval,
    pingTimeout,
    maxHttpBufferSize: maxFrameBytes,
    parser: createBoundedParser(),
    // Frames are JSON arrays of numbers, mostly of encrypted bytes. Compressing them costs more than it saves.
    perMessageDeflate: false,
    ...(broker.adapter === undefined ? {} : { adapter: broker.adapter }),
  });
}

/** The HTTP server that socket.io is served on. */
export type SocketIoHost = Pick<JsonServer, 'http' | 'acceptWebSockets'>;

export interface AttachSocketIoOptions {
  /** ROUTING_PREFIX. socket.io is also served below it. */
  readonly routingPrefix: string;
  readonly admission: Admission;
  /** The heartbeat of the socket.io server. Default: {@link DEFAULT_HEARTBEAT}. */
  readonly heartbeat?: Heartbeat | undefined;
  /** Whether new connections are refused. */
  isDraining(): boolean;
  /** Called with the name of a limit that was hit. */
  onLimitHit?(limit: string): void;
}

/** Serves socket.io at `/socket.io/` on an HTTP server. Existing listeners get all other requests. */
export function attachSocketIo(io: Server, server: SocketIoHost, options: AttachSocketIoOptions): void {
  const { http } = server;
  const { routingPrefix } = options;
  io.attach(http);
  server.acceptWebSockets(
    (target) => target.startsWith(SOCKET_IO_PATH) || target.startsWith(`${routingPrefix}${SOCKET_IO_PATH}`),
  );
  const upgrades = new WeakMap<IncomingMessage, UpgradeResponse>();
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value);
    if (request.headers.upgrade !== undefined) upgrades.set(request, noteUpgradeResponse(request, response));
    if (request.method === 'OPTIONS') {
      response.writeHead(200, { 'Content-Length': 0 });
      response.end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'POST') {
      // engine.io would answer as if the fault were its own.
      refuseRequest(response, 400, 'ERR_BAD_REQUEST', 'Only GET and POST are allowed here.');
    } else void admitRequest(request, response, options, next);
  });
  // The headers of a websocket are complete.
  io.engine.on('headers', (_headers: unknown, request: IncomingMessage) => upgrades.get(request)?.release());
  keepAlive(io, options.heartbeat ?? DEFAULT_HEARTBEAT);
  limitConnects(io, () => options.onLimitHit?.('connects'));
  io.engine.on('connection', (connection: AdmittedConnection & { on(event: 'close', run: () => void): void }) => {
    connection.on('close', options.admission.count(connection));
    releaseRequest(connection);
  });
  if (routingPrefix !== '') serveUnderPrefix(http, routingPrefix);
}

/** engine.io's stand-in for the response to an upgrade, which it would keep until the connection closes. */
interface UpgradeResponse {
  /** Lets go of it. */
  release(): void;
}

/** To be called in the first middleware: the last listener of the socket is then the one that engine.io has just added. */
function noteUpgradeResponse(
  request: IncomingMessage,
  response: { req: IncomingMessage | undefined },
): UpgradeResponse {
  const listener = request.socket.rawListeners('close').at(-1) as (() => void) | undefined;
  return {
    release() {
      response.req = undefined;
      if (listener !== undefined) request.socket.off('close', listener);
    },
  };
}

/**
 * Lets go of the request that opened a connection, as the documentation of socket.io shows: it would be a tenth of the memory
 * of an idle socket. The handshake data of the connection's sockets is empty then.
 */
function releaseRequest(connection: { request: IncomingMessage | undefined }): void {
  connection.request = undefined;
}

async function admitRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: AttachSocketIoOptions,
  next: () => void,
): Promise<void> {
  const isNew = readConnectionId(request.url) === undefined;
  if (isNew && options.isDraining()) {
    refuseRequest(response, 503, 'ERR_STOPPING', 'This instance is stopping. Connect again.', 1);
    return;
  }
  try {
    if (isNew) await options.admission.admit(request);
    else await options.admission.waitForTurn(request);
  } catch (error) {
    const seconds = error instanceof TooManyRequestsError ? error.retryAfterSeconds : 1;
    refuseRequest(
      response,
      429,
      'ERR_TOO_MANY_REQUESTS',
      'Too many connections from this address. Try again later.',
      seconds,
    );
    return;
  }
  next();
}

function refuseRequest(
  response: ServerResponse,
  status: number,
  code: string,
  description: string,
  retryAfterSeconds?: number,
): void {
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', retryAfterSeconds);
  response.setHeader('Connection', 'close');
  sendJson(response, status, { status: 'error', code, description });
}

/**
 * Removes the prefix from the paths of socket.io requests, because engine.io serves one path only. The listeners that the
 * server has now see the path without the prefix.
 */
export function serveUnderPrefix(http: HttpServer, routingPrefix: string): void {
  const unprefix = (request: IncomingMessage) => {
    if (request.url?.startsWith(`${routingPrefix}${SOCKET_IO_PATH}`))
      request.url = request.url.slice(routingPrefix.length);
  };
  http.prependListener('request', unprefix);
  http.prependListener('upgrade', unprefix);
}
