import { type IncomingMessage, type RequestListener, Server, type ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { collapseSlashes, routeByCollapsedPath } from './collapse-slashes.js';
import { ignoreUpgrade } from './ignore-upgrade.js';

/**
 * An HTTP server with one door in front of all listeners, also of those that others (socket.io) put in front later: what
 * holds for every request, whoever answers it, happens here.
 */
export class FrontServer extends Server {
  /** Which websockets the `upgrade` listeners get, by their request target with runs of slashes collapsed. */
  takesWebSocket: (target: string) => boolean = () => false;
  /** The last request of each connection, while it isn't answered. */
  readonly #unanswered = new WeakMap<Socket, ServerResponse>();

  /**
   * @param arrived hears of every request before its listener does, and answers false for one that it has refused
   * @param mayUpgrade whether a request may become a websocket at all; otherwise its offer is ignored
   */
  constructor(
    options: ServerOptions,
    private readonly arrived: (request: IncomingMessage, response: ServerResponse) => boolean,
    private readonly mayUpgrade: (request: IncomingMessage) => boolean,
    listener: RequestListener,
  ) {
    const takes = (request: IncomingMessage): boolean => this.#takes(request);
    // From Node 22.21 on this option does what `emit` does below. Without a listener Node 20 would serve offers itself,
    // and lose what was sent behind them.
    super({ ...options, ...{ shouldUpgradeCallback: takes } }, listener);
    this.on('upgrade', () => undefined);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const [request, second, head] = args as [IncomingMessage, Socket | ServerResponse, Buffer];
    if (event === 'upgrade') {
      if (!this.#takes(request)) {
        const socket = second as Socket;
        ignoreUpgrade(this, request, socket, head, this.#unanswered.get(socket));
        return true;
      }
      routeByCollapsedPath(request);
    } else if (second instanceof ServerResponse) {
      if (!this.#note(request, second)) return true;
      routeByCollapsedPath(request);
    }
    return super.emit(event as string, ...args);
  }

  #takes(request: IncomingMessage): boolean {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return false;
    return this.mayUpgrade(request) && this.takesWebSocket(collapseSlashes(request.url ?? ''));
  }

  #note(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    this.#unanswered.set(socket, response);
    response.once('close', () => {
      if (this.#unanswered.get(socket) === response) this.#unanswered.delete(socket);
    });
    return this.arrived(request, response);
  }
}
