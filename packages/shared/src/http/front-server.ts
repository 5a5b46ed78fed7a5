import { type IncomingMessage, type RequestListener, Server, type ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TurnSpreader } from '../admission/turn-spreader.js';
import { toAddressKey } from './client-address.js';
import { collapseSlashes, routeByCollapsedPath } from './collapse-slashes.js';
import { ignoreUpgrade } from './ignore-upgrade.js';

/** Calls `open` when it is the turn of a new connection from this address. A rejection closes the connection. */
export type ScheduleConnection = (address: string, open: () => void) => Promise<void>;

/**
 * An HTTP server that handles every request and upgrade before all listeners, also before those that socket.io prepends
 * later. The rules for all requests are applied here.
 */
export class FrontServer extends Server {
  /** Whether the `upgrade` listeners get a websocket with this request target. Repeated slashes in it are one. */
  acceptsWebSocket: (target: string) => boolean = () => false;
  /** Connections that are not read yet. */
  readonly #waiting = new Set<Socket>();
  /** All connections that have had their turn. */
  readonly #opened = new WeakSet<Socket>();
  #scheduleConnection: ScheduleConnection | undefined;
  #getRequestKey: ((request: IncomingMessage) => string) | undefined;
  readonly #spreader = new TurnSpreader();
  /** The response to the last request of each connection, until it is closed. */
  readonly #unanswered = new WeakMap<Socket, ServerResponse>();

  /**
   * @param onRequest is called for every request before the listener, and returns false when it has refused the request
   * @param mayUpgrade whether a request may become a websocket at all; otherwise its upgrade offer is ignored
   */
  constructor(
    options: ServerOptions,
    private readonly onRequest: (request: IncomingMessage, response: ServerResponse) => boolean,
    private readonly mayUpgrade: (request: IncomingMessage) => boolean,
    listener: RequestListener,
  ) {
    const acceptsUpgrade = (request: IncomingMessage): boolean => this.#acceptsUpgrade(request);
    // From Node 22.21 on, this option does what `emit` does below. Without an `upgrade` listener, Node 20 would serve
    // requests with an offer itself, and lose the bytes that follow them.
    super({ ...options, ...{ shouldUpgradeCallback: acceptsUpgrade } }, listener);
    this.on('upgrade', () => undefined);
  }

  /**
   * Makes new connections wait for their turn. Until then nothing of them is read: what the client sends stays with the
   * operating system.
   */
  scheduleConnections(schedule: ScheduleConnection): void {
    this.#scheduleConnection = schedule;
    // The option of net.createServer(), which http.createServer() does not pass on.
    Object.assign(this, { pauseOnConnect: true });
  }

  /** Spreads requests that arrive at the same moment over turns of the event loop. `getKey` returns the client of a request. */
  spreadRequests(getKey: (request: IncomingMessage) => string): void {
    this.#getRequestKey = getKey;
  }

  /** Closes the connections that wait for their turn. */
  closeWaitingConnections(): void {
    for (const socket of this.#waiting) socket.destroy();
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'connection' && this.#scheduleConnection !== undefined) {
      const [socket] = args as [Socket];
      if (!this.#opened.has(socket)) {
        this.#openInTurn(socket, this.#scheduleConnection);
        return true;
      }
    }
    const [request, second, head] = args as [IncomingMessage, Socket | ServerResponse, Buffer];
    if (event === 'upgrade') {
      if (!this.#acceptsUpgrade(request)) {
        const socket = second as Socket;
        ignoreUpgrade(this, request, socket, head, this.#unanswered.get(socket));
        return true;
      }
      routeByCollapsedPath(request);
    } else if (second instanceof ServerResponse) {
      if (!this.#trackRequest(request, second)) return true;
      routeByCollapsedPath(request);
      if (this.#getRequestKey !== undefined) {
        this.#spreader.run(this.#getRequestKey(request), () => {
          if (!second.destroyed) super.emit(event as string, ...args);
        });
        return true;
      }
    }
    return super.emit(event as string, ...args);
  }

  #openInTurn(socket: Socket, schedule: ScheduleConnection): void {
    this.#waiting.add(socket);
    const stopWaiting = () => this.#waiting.delete(socket);
    // An error without a listener would end the process.
    const onError = () => socket.destroy();
    socket.once('close', stopWaiting).on('error', onError);
    const open = () => {
      stopWaiting();
      socket.off('close', stopWaiting).off('error', onError);
      this.#opened.add(socket);
      super.emit('connection', socket);
      socket.resume();
    };
    void schedule(toAddressKey(socket.remoteAddress ?? ''), () => {
      if (!socket.destroyed) open();
    }).catch(() => socket.destroy());
  }

  #acceptsUpgrade(request: IncomingMessage): boolean {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return false;
    return this.mayUpgrade(request) && this.acceptsWebSocket(collapseSlashes(request.url ?? ''));
  }

  #trackRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    this.#unanswered.set(socket, response);
    response.once('close', () => {
      if (this.#unanswered.get(socket) === response) this.#unanswered.delete(socket);
    });
    return this.onRequest(request, response);
  }
}
