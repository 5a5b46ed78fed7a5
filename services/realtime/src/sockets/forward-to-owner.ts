import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { corsHeaders, type Logger, sendJson } from '@messagebox/shared';
import { createProxyServer } from 'httpxy';
import type { Server } from 'socket.io';
import { readConnectionId, SOCKET_IO_PATH } from './connection-id.js';
import type { InstanceRegistry } from './instance-registry.js';
import type { SocketIoHost } from './socket-io.js';

/** Must be longer than a long poll, which stays open until the next ping or the end of the connection. */
const FORWARD_TIMEOUT_MS = 120_000;

/**
 * Lets any instance take any request of a connection, so that the load balancer needs no sticky sessions. The id of a
 * connection begins with the id of the instance that holds it. A request for another instance is forwarded to the internal
 * port of that instance.
 *
 * Call it after socket.io was attached to `http`. The target address comes from the registry, never from the request. When
 * the other instance is gone, the answer is that of engine.io for an unknown session, and clients reconnect.
 *
 * @returns ends the websockets that are forwarded through this instance: their owners do not know when it stops
 */
export function forwardToOwner(io: Server, http: HttpServer, registry: InstanceRegistry, log: Logger): () => void {
  const generate = io.engine.generateId.bind(io.engine);
  io.engine.generateId = async (request: IncomingMessage) => `${registry.id}.${await generate(request)}`;

  // The proxy must have no listener for errors. With one, its promises do not reject.
  const proxy = createProxyServer({ xfwd: true, proxyTimeout: FORWARD_TIMEOUT_MS });

  const forwardRequest = async (instance: string, request: IncomingMessage, response: ServerResponse) => {
    const target = await registry.findAddress(instance);
    try {
      if (target === undefined) throw new Error('no such instance');
      await proxy.web(request, response, { target });
    } catch (error) {
      log.debug({ instance, reason: String(error) }, 'request could not be forwarded');
      // This is engine.io's own answer. Its client then closes the connection and opens another.
      if (!response.headersSent) sendJson(response, 400, { code: 1, message: 'Session ID unknown' });
      else response.destroy();
    }
  };
  const forwardedSockets = new Set<Socket>();
  const forwardUpgrade = async (instance: string, request: IncomingMessage, socket: Socket, head: Buffer) => {
    forwardedSockets.add(socket);
    socket.once('close', () => forwardedSockets.delete(socket));
    const target = await registry.findAddress(instance);
    try {
      if (target === undefined) throw new Error('no such instance');
      await proxy.ws(request, socket, { target }, head);
    } catch (error) {
      log.debug({ instance, reason: String(error) }, 'upgrade could not be forwarded');
      socket.destroy();
    }
  };

  interceptListeners(http, 'request', (request, response: ServerResponse) => {
    const instance = findOtherInstance(request, registry.id);
    if (instance === undefined) return false;
    void forwardRequest(instance, request, response);
    return true;
  });
  interceptListeners(http, 'upgrade', (request, socket: Socket, head: Buffer) => {
    const instance = findOtherInstance(request, registry.id);
    if (instance === undefined) return false;
    socket.on('error', () => socket.destroy());
    void forwardUpgrade(instance, request, socket, head);
    return true;
  });
  return () => {
    for (const socket of forwardedSockets) socket.end();
  };
}

/** Serves the requests that other instances forward, on the internal port. It opens no new connections. */
export function acceptForwarded(io: Server, internal: SocketIoHost): void {
  internal.acceptWebSockets((target) => target.startsWith(SOCKET_IO_PATH) && readConnectionId(target) !== undefined);
  interceptListeners(internal.http, 'request', (request, response: ServerResponse) => {
    if (!request.url?.startsWith(SOCKET_IO_PATH)) return false;
    for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value);
    // New connections are admitted by the instance that the client has connected to, never here.
    if (readConnectionId(request.url) === undefined) sendJson(response, 400, { code: 3, message: 'Bad request' });
    else io.engine.handleRequest(request as Parameters<typeof io.engine.handleRequest>[0], response);
    return true;
  });
  internal.http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (readConnectionId(request.url) === undefined) socket.destroy();
    else io.engine.handleUpgrade(request as Parameters<typeof io.engine.handleUpgrade>[0], socket, head);
  });
}

/** Calls `intercept` first. When it returns false, the existing listeners get the event. */
function interceptListeners<Rest extends unknown[]>(
  server: HttpServer,
  event: 'request' | 'upgrade',
  intercept: (request: IncomingMessage, ...rest: Rest) => boolean,
): void {
  const listeners = server.listeners(event) as ((request: IncomingMessage, ...rest: Rest) => void)[];
  server.removeAllListeners(event);
  server.on(event, (request: IncomingMessage, ...rest) => {
    if (intercept(request, ...(rest as unknown as Rest))) return;
    for (const listener of listeners) listener.call(server, request, ...(rest as unknown as Rest));
  });
}

/** Returns the id of the instance that holds the request's connection, unless it is this one or no valid id. */
function findOtherInstance(request: IncomingMessage, ownId: string): string | undefined {
  if (!request.url?.startsWith(SOCKET_IO_PATH)) return undefined;
  const [instance, random] = readConnectionId(request.url)?.split('.') ?? [];
  if (instance === undefined || random === undefined || instance === ownId) return undefined;
  return /^[\w-]{12}$/.test(instance) ? instance : undefined;
}
