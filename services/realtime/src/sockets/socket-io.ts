import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { corsHeaders, type RoomEventBroker } from '@messagebox/shared';
import { Server } from 'socket.io';

/**
 * A socket.io server with this project's settings, attached to no HTTP server yet.
 *
 * @param maxFrameBytes the largest frame that is read from a client
 */
export function createSocketIo(broker: RoomEventBroker, maxFrameBytes: number): Server {
  return new Server({
    serveClient: false,
    maxHttpBufferSize: maxFrameBytes,
    // Frames are arrays of numbers in JSON, mostly of encrypted bytes; compressing them costs more than it saves.
    perMessageDeflate: false,
    ...(broker.adapter === undefined ? {} : { adapter: broker.adapter }),
  });
}

/**
 * Serves socket.io on an HTTP server, beside whatever listens there already, at `/socket.io/` and below the routing
 * prefix.
 *
 * @param refuse gives the reason why no new connection is taken, or undefined
 */
export function attachSocketIo(
  io: Server,
  http: HttpServer,
  routingPrefix: string,
  refuse: () => string | undefined,
): void {
  io.attach(http);
  io.engine.use(
    (
      request: IncomingMessage & { _query?: Record<string, string> },
      response: import('node:http').ServerResponse,
      next: (error?: Error) => void,
    ) => {
      for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value);
      if (request.method === 'OPTIONS') {
        response.writeHead(200, { 'Content-Length': 0 });
        response.end();
        return;
      }
      const reason = request._query?.['sid'] === undefined ? refuse() : undefined;
      if (reason === undefined) return next();
      const body = JSON.stringify({ status: 'error', code: 'ERR_NOT_AVAILABLE', description: reason });
      response.writeHead(503, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        'Retry-After': 1,
      });
      response.end(body);
    },
  );
  if (routingPrefix === '') return;
  const unprefix = (request: IncomingMessage) => {
    if (request.url?.startsWith(`${routingPrefix}/socket.io/`)) request.url = request.url.slice(routingPrefix.length);
  };
  http.prependListener('request', unprefix);
  http.prependListener('upgrade', unprefix);
}
