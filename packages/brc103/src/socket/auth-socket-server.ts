import type { Server, Socket } from 'socket.io';
import type { Authenticator } from '../authenticator.js';
import type { AuthError } from '../errors.js';
import { AuthSocket, type AuthSocketLimits, type AuthSocketParts, type DeliveryProblem } from './auth-socket.js';
import { type Clock, systemClock } from './clock.js';
import type { SocketEvent } from './frames.js';
import { OwedBytes, type OwedLimits } from './owed-bytes.js';
import { SendTurns } from './send-turns.js';
import { signBroadcasts } from './signed-broadcast.js';
import { UnprovenMemory } from './unproven-memory.js';
import { type AdmitUnproven, admitUpTo, UnprovenPlaces } from './unproven-places.js';

const OWED_BYTES: OwedLimits = { perIdentity: 134_217_728, total: 536_870_912 };

export interface AuthSocketServerOptions {
  readonly io: Server;
  readonly authenticator: Authenticator;
  readonly limits: AuthSocketLimits;
  /** Namespaces that take clients. Default: only `/`. */
  readonly namespaces?: readonly string[];
  readonly handlers: AuthSocketHandlers;
  /** Decides which sockets may be open without a proven identity. Default: 4,000 of them, whoever they are of. */
  readonly admitUnproven?: AdmitUnproven;
  /** Sockets that one identity may have here. Default 300. */
  readonly maxPerIdentity?: number;
  /**
   * Memory for frames and events of sockets without a proven identity: what each always has, and what all of them share
   * beyond that. Default 64 KB and 64 MB.
   */
  readonly unprovenBytes?: { readonly each: number; readonly shared: number };
  /**
   * Begins the account of what one socket with a proven identity holds of frames that are still coming; `evict` ends its
   * connection. Default: they are bounded for each socket only.
   */
  readonly openFrameMemory?: AuthSocketParts['openFrameMemory'];
  /**
   * When a frame of a socket is verified and worked on; those of one socket stay in order. It rejects when a frame is not to
   * be worked on at all: then the connection is closed, and the client comes back. Default: as it comes.
   */
  readonly schedule?: AuthSocketParts['schedule'];
  /**
   * Bytes that may wait for slow clients: those of one identity, and all of them. Beyond it the slowest is closed, and comes
   * back. Default: 128 MB and 512 MB.
   */
  readonly owedBytes?: OwedLimits;
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
  /** Somebody was refused for what all sockets, or those of one identity, may have. */
  limitHit?(limit: 'unproven_bytes' | 'sockets_per_identity'): void;
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
  readonly #byIdentity = new Map<string, Set<AuthSocket>>();
  readonly #owed: OwedBytes<AuthSocket>;
  readonly #maxPerIdentity: number;
  readonly #unproven: UnprovenPlaces;
  #proven = 0;
  readonly #parts: Omit<AuthSocketParts, 'events'>;

  constructor(private readonly options: AuthSocketServerOptions) {
    this.#unproven = new UnprovenPlaces(options.admitUnproven ?? admitUpTo(4_000));
    this.#maxPerIdentity = options.maxPerIdentity ?? 300;
    const { each, shared } = options.unprovenBytes ?? { each: 65_536, shared: 67_108_864 };
    this.#owed = new OwedBytes(options.owedBytes ?? OWED_BYTES, () => (options.clock ?? systemClock).now());
    this.#parts = {
      authenticator: options.authenticator,
      limits: options.limits,
      clock: options.clock ?? systemClock,
      unprovenMemory: new UnprovenMemory(shared, each, () => options.handlers.limitHit?.('unproven_bytes')),
      openFrameMemory: options.openFrameMemory,
      turns: new SendTurns(),
      schedule: options.schedule,
    };
    for (const name of options.namespaces ?? ['/']) {
      const namespace = options.io.of(name);
      signBroadcasts(namespace, (socket, event, encoded, meta) => {
        const authenticated = this.#sockets.get(socket);
        if (authenticated === undefined) return;
        authenticated.emitEncoded(encoded, () => options.handlers.delivered?.(authenticated, event, meta));
        this.#closeSlowest(authenticated);
      });
      namespace.use((socket, next) => next(this.#unproven.enter(socket)));
      namespace.on('connection', (socket) => this.#accept(socket));
    }
  }

  /** Sockets that are open, proven or not. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Sockets without a proven identity, those included that are being admitted. */
  get unproven(): number {
    return this.#unproven.size;
  }

  /** Sockets whose identity is proven. */
  get proven(): number {
    return this.#proven;
  }

  /** The sockets that are open now. */
  *[Symbol.iterator](): IterableIterator<AuthSocket> {
    yield* this.#sockets.values();
  }

  #accept(socket: Socket): void {
    const { handlers } = this.options;
    this.#unproven.connected(socket);
    const events: AuthSocketParts['events'] = {
      proven: (authenticated) => {
        this.#unproven.leave(socket);
        return this.#open(authenticated);
      },
      event: (authenticated, event) => handlers.event(authenticated, event),
      refused: (authenticated, error) => handlers.refused?.(authenticated, error),
      undelivered: (authenticated, problem) => handlers.undelivered?.(authenticated, problem),
      closed: (authenticated, reason) => {
        this.#sockets.delete(socket);
        this.#unproven.leave(socket);
        this.#forget(authenticated);
        handlers.closed?.(authenticated, reason);
      },
    };
    this.#sockets.set(socket, new AuthSocket(socket, { ...this.#parts, events }));
  }

  #open(socket: AuthSocket): boolean {
    const key = socket.identityKey as string;
    const siblings = this.#byIdentity.get(key) ?? new Set();
    this.#byIdentity.set(key, siblings.add(socket));
    this.#proven += 1;
    if (siblings.size > this.#maxPerIdentity) {
      this.options.handlers.limitHit?.('sockets_per_identity');
      socket.emit('authenticationFailed', {
        reason: `One identity may have ${this.#maxPerIdentity} connections here.`,
      });
      socket.disconnect();
      return false;
    }
    this.options.handlers.opened?.(socket);
    return true;
  }

  #forget(socket: AuthSocket): void {
    const { identityKey } = socket;
    if (identityKey === undefined) return;
    this.#proven -= 1;
    const siblings = this.#byIdentity.get(identityKey);
    siblings?.delete(socket);
    if (siblings?.size === 0) this.#byIdentity.delete(identityKey);
  }

  /** After something was sent to a socket. */
  #closeSlowest(socket: AuthSocket): void {
    const siblings = this.#byIdentity.get(socket.identityKey ?? '');
    if (siblings !== undefined) this.#owed.findSlowest(socket, siblings, () => this)?.closeSlow();
  }
}
