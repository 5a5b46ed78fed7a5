import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { corsHeaders, type Logger, sendJson } from '@messagebox/shared';
import { createProxyServer } from 'httpxy';
import type { Server } from 'socket.io';
import { readConnectionId, SOCKET_IO_PATH } from './connection-id.js';
import type { InstanceRegistry } from './instance-registry.js';
import type { SocketIoHost } from './socket-io.js';

/** Longer than a long poll is held open, which is until the next ping or the connection's end. */
const PASSED_TIMEOUT_MS = 120_000;

/**
 * Lets any instance take any request of a connection, so that nothing in front needs to send a client's requests to one
 * place: the id of a connection begins with the id of the instance that holds it, and a request for another live
 * instance is passed on to its internal port.
 *
 * To be called after socket.io was attached to `http`. Where to pass is looked up in the registry, never read from the
 * request. An instance that is gone is answered as engine.io answers an unknown session: clients connect anew.
 *
 * @returns ends the websockets that lead through this instance, whose owners don't know that it stops
 */
export function passOn(io: Server, http: HttpServer, registry: InstanceRegistry, log: Logger): () => void {
  const generate = io.engine.generateId.bind(io.engine);
  io.engine.generateId = async (request: IncomingMessage) => `${registry.id}.${await generate(request)}`;

  // It must have no listener for errors: only then do its promises reject.
  const proxy = createProxyServer({ xfwd: true, proxyTimeout: PASSED_TIMEOUT_MS });

  const passRequest = async (instance: string, request: IncomingMessage, response: ServerResponse) => {
    const target = await registry.addressOf(instance);
    try {
      if (target === undefined) throw new Error('no such instance');
      await proxy.web(request, response, { target });
    } catch (error) {
      log.debug({ instance, reason: String(error) }, 'a request could not be passed on');
      // What engine.io says itself; its client takes it for the end of the connection, and opens another.
      if (!response.headersSent) sendJson(response, 400, { code: 1, message: 'Session ID unknown' });
      else response.destroy();
    }
  };
  const passed = new Set<Socket>();
  const passUpgrade = async (instance: string, request: IncomingMessage, socket: Socket, head: Buffer) => {
    passed.add(socket);
    socket.once('close', () => passed.delete(socket));
    const target = await registry.addressOf(instance);
    try {
      if (target === undefined) throw new Error('no such instance');
      await proxy.ws(request, socket, { target }, head);
    } catch (error) {
      log.debug({ instance, reason: String(error) }, 'an upgrade could not be passed on');
      socket.destroy();
    }
  };

  inFront(http, 'request', (request, response: ServerResponse) => {
    const instance = otherInstance(request, registry.id);
    if (instance === undefined) return false;
    void passRequest(instance, request, response);
    return true;
  });
  inFront(http, 'upgrade', (request, socket: Socket, head: Buffer) => {
    const instance = otherInstance(request, registry.id);
    if (instance === undefined) return false;
    socket.on('error', () => socket.destroy());
    void passUpgrade(instance, request, socket, head);
    return true;
  });
  return () => {
    for (const socket of passed) socket.end();
  };
}

/** Serves what other instances pass on, on the internal port. Whatever is unknown here is unknown. */
export function takePassed(io: Server, internal: SocketIoHost): void {
  internal.takeWebSockets((target) => target.startsWith(SOCKET_IO_PATH) && readConnectionId(target) !== undefined);
  inFront(internal.http, 'request', (request, response: ServerResponse) => {
    if (!request.url?.startsWith(SOCKET_IO_PATH)) return false;
    for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value);
    // Here nobody is admitted anew: that is for the instance that a client has come to.
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

/** Asks `take` first; what it does not take goes to the listeners that were there. */
function inFront<Rest extends unknown[]>(
  server: HttpServer,
  event: 'request' | 'upgrade',
  take: (request: IncomingMessage, ...rest: Rest) => boolean,
): void {
  const listeners = server.listeners(event) as ((request: IncomingMessage, ...rest: Rest) => void)[];
  server.removeAllListeners(event);
  server.on(event, (request: IncomingMessage, ...rest) => {
    if (take(request, ...(rest as unknown as Rest))) return;
    for (const listener of listeners) listener.call(server, request, ...(rest as unknown as Rest));
  });
}

/** The instance that holds the request's connection, when that is a possible one and not this. */
function otherInstance(request: IncomingMessage, ownId: string): string | undefined {
  if (!request.url?.startsWith(SOCKET_IO_PATH)) return undefined;
  const [instance, random] = readConnectionId(request.url)?.split('.') ?? [];
  if (instance === undefined || random === undefined || instance === ownId) return undefined;
  return /^[\w-]{12}$/.test(instance) ? instance : undefined;
}
