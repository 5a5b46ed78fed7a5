import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { corsHeaders, type JsonServer, type RoomEventBroker, sendJson, TooManyRequestsError } from '@messagebox/shared';
import { Server } from 'socket.io';
import type { Admission, AdmittedConnection } from './admission.js';
import { boundConnects } from './bound-connects.js';
import { boundedParser } from './bounded-parser.js';
import { readConnectionId, SOCKET_IO_PATH } from './connection-id.js';
import { HEARTBEAT, type Heartbeat, keepAlive } from './heartbeat.js';

/**
 * A socket.io server with this project's settings, attached to no HTTP server yet.
 *
 * @param maxFrameBytes the largest frame that is read from a client, unless its connection is given another bound
 */
export function createSocketIo(
  broker: RoomEventBroker,
  maxFrameBytes: number,
  { pingInterval, pingTimeout }: Heartbeat = HEARTBEAT,
): Server {
  return new Server({
    serveClient: false,
    pingInterval,
    pingTimeout,
    maxHttpBufferSize: maxFrameBytes,
    parser: boundedParser(),
    // Frames are arrays of numbers in JSON, mostly of encrypted bytes; compressing them costs more than it saves.
    perMessageDeflate: false,
    ...(broker.adapter === undefined ? {} : { adapter: broker.adapter }),
  });
}

/** The HTTP server that socket.io is served on. */
export type SocketIoHost = Pick<JsonServer, 'http' | 'takeWebSockets'>;

export interface Entrance {
  /** ROUTING_PREFIX: socket.io is served below it as well. */
  readonly routingPrefix: string;
  readonly admission: Admission;
  /** As the socket.io server was given it: {@link HEARTBEAT} unless given. */
  readonly heartbeat?: Heartbeat | undefined;
  /** Whether no new connections are taken any more. */
  draining(): boolean;
  /** Told the name of a limit that was hit. */
  limitHit?(limit: string): void;
}

/** Serves socket.io on an HTTP server, beside whatever listens there already, at `/socket.io/`. */
export function attachSocketIo(io: Server, server: SocketIoHost, entrance: Entrance): void {
  const { http } = server;
  const { routingPrefix } = entrance;
  io.attach(http);
  server.takeWebSockets(
    (target) => target.startsWith(SOCKET_IO_PATH) || target.startsWith(`${routingPrefix}${SOCKET_IO_PATH}`),
  );
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value);
    if (request.method === 'OPTIONS') {
      response.writeHead(200, { 'Content-Length': 0 });
      response.end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'POST') {
      // engine.io calls it a fault of its own.
      refuse(response, 400, 'ERR_BAD_REQUEST', 'Only GET and POST are taken here.');
    } else void admit(request, response, entrance, next);
  });
  keepAlive(io, entrance.heartbeat ?? HEARTBEAT);
  boundConnects(io, () => entrance.limitHit?.('connects'));
  io.engine.on('connection', (connection: AdmittedConnection & { once(event: 'close', run: () => void): void }) => {
    connection.once('close', entrance.admission.count(connection));
  });
  if (routingPrefix !== '') serveBelow(http, routingPrefix);
}

async function admit(
  request: IncomingMessage,
  response: ServerResponse,
  entrance: Entrance,
  next: () => void,
): Promise<void> {
  const isNew = readConnectionId(request.url) === undefined;
  if (isNew && entrance.draining()) {
    refuse(response, 503, 'ERR_STOPPING', 'This instance is stopping. Connect again.', 1);
    return;
  }
  try {
    if (isNew) await entrance.admission.admit(request);
    else await entrance.admission.waitForTurn(request);
  } catch (error) {
    const seconds = error instanceof TooManyRequestsError ? error.retryAfterSeconds : 1;
    refuse(response, 429, 'ERR_TOO_MANY_REQUESTS', 'Too many connections from this address. Try again later.', seconds);
    return;
  }
  next();
}

function refuse(
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
 * engine.io answers at one path only, so requests below the prefix are shown to it without it: to it, and to all
 * listeners that the server has by now.
 */
export function serveBelow(http: HttpServer, routingPrefix: string): void {
  const unprefix = (request: IncomingMessage) => {
    if (request.url?.startsWith(`${routingPrefix}${SOCKET_IO_PATH}`))
      request.url = request.url.slice(routingPrefix.length);
  };
  http.prependListener('request', unprefix);
  http.prependListener('upgrade', unprefix);
}
