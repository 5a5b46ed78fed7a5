import type { Server, Socket } from 'socket.io';
import type { Authenticator } from '../authenticator.js';
import type { AuthError } from '../errors.js';
import { AuthSocket, type AuthSocketLimits, type AuthSocketParts, type DeliveryProblem } from './auth-socket.js';
import { type Clock, systemClock } from './clock.js';
import type { SocketEvent } from './frames.js';
import { signBroadcasts } from './signed-broadcast.js';
import { UnprovenMemory } from './unproven-memory.js';

export interface AuthSocketServerOptions {
  readonly io: Server;
  readonly authenticator: Authenticator;
  readonly limits: AuthSocketLimits;
  /** Namespaces that take clients. Default: only `/`. */
  readonly namespaces?: readonly string[];
  readonly handlers: AuthSocketHandlers;
  /** Sockets that may be open at once without a proven identity. Default 4,000. */
  readonly maxUnproven?: number;
  /** Sockets that one identity may have here. Default 300. */
  readonly maxPerIdentity?: number;
  /**
   * Memory for frames and events of sockets without a proven identity: what each always has, and what all of them share
   * beyond that. Default 64 KB and 64 MB.
   */
  readonly unprovenBytes?: { readonly each: number; readonly shared: number };
  /** Default: the process's own. The authenticator's time must be the same. */
  readonly clock?: Clock;
}

export interface AuthSocketHandlers {
  /** A client has proven its identity. */
  opened?(socket: AuthSocket): void;
  /** A verified event. Called in the order of sending; what it throws is not caught here. */
  event(socket: AuthSocket, event: SocketEvent): void;
  refused?(socket: AuthSocket, error: AuthError): void;
  /**
   * A broadcast was signed for this socket and handed to its transport; `meta` is what the broadcaster gave behind the
   * data.
   */
  delivered?(socket: AuthSocket, event: string, meta: unknown): void;
  /** An event was not sent, or the connection was closed so that its client comes back. */
  undelivered?(socket: AuthSocket, problem: DeliveryProblem): void;
  /** The end of any socket, proven or not. */
  closed?(socket: AuthSocket, reason: string): void;
}

/**
 * Authenticates the clients of a socket.io server by BRC-103: verified events in, signed events out.
 *
 * `io.of(namespace).to(room).emit(event, data)`, on any instance behind the same adapter, reaches the proven sockets in
 * that room, signed once for each.
 */
export class AuthSocketServer {
  readonly #sockets = new Map<Socket, AuthSocket>();
  readonly #byIdentity = new Map<string, number>();
  readonly #maxPerIdentity: number;
  readonly #parts: Omit<AuthSocketParts, 'events'>;

  constructor(private readonly options: AuthSocketServerOptions) {
    const maxUnproven = options.maxUnproven ?? 4_000;
    this.#maxPerIdentity = options.maxPerIdentity ?? 300;
    const { each, shared } = options.unprovenBytes ?? { each: 65_536, shared: 67_108_864 };
    this.#parts = {
      authenticator: options.authenticator,
      limits: options.limits,
      clock: options.clock ?? systemClock,
      unprovenMemory: new UnprovenMemory(shared, each),
    };
    for (const name of options.namespaces ?? ['/']) {
      const namespace = options.io.of(name);
      signBroadcasts(namespace, (socket, event, data, meta) => {
        const authenticated = this.#sockets.get(socket);
        authenticated?.emit(event, data, () => options.handlers.delivered?.(authenticated, event, meta));
      });
      namespace.use((_socket, next) => {
        next(
          this.unproven < maxUnproven
            ? undefined
            : new Error('Too many connections wait for authentication. Try again later.'),
        );
      });
      namespace.on('connection', (socket) => this.#accept(socket));
    }
  }

  /** Sockets that are open, proven or not. */
  get size(): number {
    return this.#sockets.size;
  }

  get unproven(): number {
    return this.#sockets.size - this.#proven;
  }

  #proven = 0;

  /** The sockets that are open now. */
  *[Symbol.iterator](): IterableIterator<AuthSocket> {
    yield* this.#sockets.values();
  }

  #accept(socket: Socket): void {
    const { handlers } = this.options;
    const events: AuthSocketParts['events'] = {
      proven: (authenticated) => this.#open(authenticated),
      event: (authenticated, event) => handlers.event(authenticated, event),
      refused: (authenticated, error) => handlers.refused?.(authenticated, error),
      undelivered: (authenticated, problem) => handlers.undelivered?.(authenticated, problem),
      closed: (authenticated, reason) => {
        this.#sockets.delete(socket);
        this.#forget(authenticated.identityKey);
        handlers.closed?.(authenticated, reason);
      },
    };
    this.#sockets.set(socket, new AuthSocket(socket, { ...this.#parts, events }));
  }

  #open(socket: AuthSocket): boolean {
    const key = socket.identityKey as string;
    const count = (this.#byIdentity.get(key) ?? 0) + 1;
    this.#byIdentity.set(key, count);
    this.#proven += 1;
    if (count > this.#maxPerIdentity) {
      socket.emit('authenticationFailed', {
        reason: `One identity may have ${this.#maxPerIdentity} connections here.`,
      });
      socket.disconnect();
      return false;
    }
    this.options.handlers.opened?.(socket);
    return true;
  }

  #forget(identityKey: string | undefined): void {
    if (identityKey === undefined) return;
    this.#proven -= 1;
    const count = (this.#byIdentity.get(identityKey) ?? 0) - 1;
    if (count > 0) this.#byIdentity.set(identityKey, count);
    else this.#byIdentity.delete(identityKey);
  }
}
