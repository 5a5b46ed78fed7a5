import { type IncomingMessage, type RequestListener, Server, type ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { collapseSlashes, routeByCollapsedPath } from './collapse-slashes.js';
import { ignoreUpgrade } from './ignore-upgrade.js';

/**
 * An HTTP server that handles every request and upgrade before all listeners, also before those that socket.io prepends
 * later. The rules for all requests are applied here.
 */
export class FrontServer extends Server {
  /** Whether the `upgrade` listeners get a websocket with this request target. Repeated slashes in it are one. */
  acceptsWebSocket: (target: string) => boolean = () => false;
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

  override emit(event: string | symbol, ...args: unknown[]): boolean {
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
    }
    return super.emit(event as string, ...args);
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
