import type { Server, Socket } from 'socket.io';
import type { Authenticator } from '../authenticator.js';
import type { AuthError } from '../errors.js';
import type { ReserveFrameMemory } from './arriving-frame-monitor.js';
import { AuthSocket, type AuthSocketCallbacks, type AuthSocketOptions } from './auth-socket.js';
import type { AuthSocketLimits } from './auth-socket-limits.js';
import type { SocketEvent } from './client-frames.js';
import { type Clock, systemClock } from './clock.js';
import { admitBeforeConnect, type Client } from './connect-turns.js';
import type { DeliveryProblem } from './delivery-problem.js';
import { SendScheduler } from './send-scheduler.js';
import { type Broadcast, signBroadcasts } from './signed-broadcast.js';
import { type SendBufferLimits, SlowClientDetector } from './slow-client-detector.js';
import { UnprovenMemoryBudget } from './unproven-memory-budget.js';
import { type AdmitUnproven, createUnprovenLimit, UnprovenSlots } from './unproven-slots.js';

const DEFAULT_MAX_QUEUED_EVENTS = 16_384;
const DEFAULT_SEND_BUFFER_LIMITS: SendBufferLimits = { maxBytesPerIdentity: 134_217_728, maxBytesTotal: 536_870_912 };

/** The argument of `new AuthSocketServer()`. */
export interface AuthSocketServerOptions {
  /** The socket.io server, with any adapter. */
  readonly io: Server;
  /** The server's authenticator. Share it with the Express middleware, if there is one. */
  readonly authenticator: Authenticator;
  /** Limits for each socket. */
  readonly limits: AuthSocketLimits;
  /** The namespaces that clients may connect to. Default: only `/`. */
  readonly namespaces?: readonly string[];
  /** Called for events, and when sockets open and close. */
  readonly handlers: AuthSocketHandlers;
  /** Decides which sockets may be open without a proven identity. Default: 4,000 sockets. */
  readonly admitUnproven?: AdmitUnproven;
  /** How many sockets one identity may have on this instance. Default: 300. */
  readonly maxSocketsPerIdentity?: number;
  /**
   * Decides whether an identity that was just proven may be connected. A text refuses it, and is told to the client. Default:
   * every identity may.
   */
  readonly refuseIdentity?: ((identityKey: string) => string | undefined) | undefined;
  /**
   * Memory for frames and events of sockets without a proven identity, in bytes: `each` socket has its own, and beyond that
   * all of them use `shared`. Default: 65,536 and 67,108,864.
   */
  readonly unprovenMemory?: { readonly each: number; readonly shared: number };
  /**
   * Opens the account of the memory that one proven socket uses for frames that are still arriving. `evict` closes the
   * socket's connection. Default: no limit but the one for each socket.
   */
  readonly reserveFrameMemory?: ReserveFrameMemory | undefined;
  /**
   * Decides when a frame of a socket is verified and handled. Frames of one socket stay in order. A rejection closes the
   * connection, and the client reconnects. `bytesToRead` is set for a part of a large frame that is only read. Default:
   * immediately.
   */
  readonly schedule?: ((socket: AuthSocket, work: () => void, bytesToRead?: number) => Promise<void>) | undefined;
  /**
   * Decides when a client that asks for a namespace gets a socket in it. A rejection closes the connection, and the client
   * reconnects. Default: immediately.
   */
  readonly scheduleConnect?: (connection: Socket['conn']) => Promise<void>;
  /**
   * Bytes that may be buffered for slow clients: for one identity, and in total. Beyond it the connection with the largest
   * buffer is closed, and its client reconnects. Default: 134,217,728 and 536,870,912.
   */
  readonly sendBufferLimits?: SendBufferLimits;
  /**
   * Decides which sockets a broadcast is sent to. Called once for each broadcast in a namespace that reaches a socket here.
   * Default: all sockets of the room.
   */
  readonly admitBroadcast?: ((namespace: string, broadcast: Omit<Broadcast, 'encoded'>) => AdmitSocket) | undefined;
  /** The source of time and timers. It must agree with the authenticator's `now`. Default: the system clock. */
  readonly clock?: Clock;
}

/** Whether a broadcast is sent to this socket. */
export type AdmitSocket = (socket: AuthSocket) => boolean;

/** The callbacks of {@link AuthSocketServer}. Errors that they throw are not caught. */
export interface AuthSocketHandlers {
  /** A client has proven its identity. */
  onOpen?(socket: AuthSocket): void;
  /** A verified event has arrived. Called in the order of sending. */
  onEvent(socket: AuthSocket, event: SocketEvent): void;
  /** A frame or an event was refused, and had no effect. */
  onRefused?(socket: AuthSocket, error: AuthError): void;
  /**
   * A broadcast was signed for this socket and given to its transport. `meta` is the argument that the broadcaster passed
   * after the data: `emit(event, data, meta)`.
   */
  onDelivered?(socket: AuthSocket, event: string, meta: unknown): void;
  /** An event was not sent, or the connection was closed so that its client reconnects. */
  onUndelivered?(socket: AuthSocket, problem: DeliveryProblem): void;
  /** A limit of all sockets, or of one identity's sockets, was exceeded. */
  onLimitHit?(limit: 'unproven_bytes' | 'sockets_per_identity'): void;
  /** A socket has closed, proven or not. `reason` is that of socket.io. */
  onClose?(socket: AuthSocket, reason: string): void;
}

/**
 * Authenticates the clients of a socket.io server by BRC-103. Events from clients are verified, and events to clients are
 * signed.
 *
 * `io.of(namespace).to(room).emit(event, data)`, on any instance behind the same adapter, reaches the proven sockets in
 * that room, signed once for each.
 *
 * The class uses internals of socket.io, engine.io and ws, so it works with socket.io 4.8 only.
 */
export class AuthSocketServer {
  readonly #sockets = new Map<Socket, AuthSocket>();
  readonly #byIdentity = new Map<string, Set<AuthSocket>>();
  readonly #slowClientDetector: SlowClientDetector<AuthSocket>;
  readonly #maxSocketsPerIdentity: number;
  readonly #unprovenSlots: UnprovenSlots;
  #provenCount = 0;
  readonly #admissions = new WeakMap<Broadcast, AdmitSocket>();
  /** One object for all sockets: an idle socket is mostly memory. */
  readonly #socketOptions: AuthSocketOptions;

  constructor(private readonly options: AuthSocketServerOptions) {
    this.#unprovenSlots = new UnprovenSlots(options.admitUnproven ?? createUnprovenLimit(4_000));
    this.#maxSocketsPerIdentity = options.maxSocketsPerIdentity ?? 300;
    const { each, shared } = options.unprovenMemory ?? { each: 65_536, shared: 67_108_864 };
    this.#slowClientDetector = new SlowClientDetector(options.sendBufferLimits ?? DEFAULT_SEND_BUFFER_LIMITS, () =>
      (options.clock ?? systemClock).now(),
    );
    this.#socketOptions = {
      authenticator: options.authenticator,
      limits: options.limits,
      clock: options.clock ?? systemClock,
      unprovenMemory: new UnprovenMemoryBudget(shared, each, () => options.handlers.onLimitHit?.('unproven_bytes')),
      reserveFrameMemory: options.reserveFrameMemory,
      sendScheduler: new SendScheduler(),
      sendQueueLimits: {
        frames: options.limits.maxQueuedEvents ?? DEFAULT_MAX_QUEUED_EVENTS,
        bytes: options.limits.maxBufferedBytes,
      },
      schedule: options.schedule,
      events: this.#createCallbacks(),
    };
    for (const name of options.namespaces ?? ['/']) {
      const namespace = options.io.of(name);
      signBroadcasts(namespace, (socket, broadcast) => {
        const authenticated = this.#sockets.get(socket);
        if (authenticated === undefined || !this.#admits(name, broadcast, authenticated)) return;
        const { event, meta, encoded } = broadcast;
        authenticated.emitEncoded(encoded, () => options.handlers.onDelivered?.(authenticated, event, meta));
        this.#closeSlowest(authenticated);
      });
      admitBeforeConnect(namespace, (client) => this.#waitToConnect(client, name));
      namespace.use((socket, next) => next(this.#unprovenSlots.acquire(socket)));
      namespace.on('connection', (socket) => this.#handleConnection(socket));
    }
  }

  /** The number of open sockets, proven or not. */
  get size(): number {
    return this.#sockets.size;
  }

  /** The number of sockets without a proven identity, including those that are being admitted. */
  get unprovenCount(): number {
    return this.#unprovenSlots.size;
  }

  /** The number of sockets whose identity is proven. */
  get provenCount(): number {
    return this.#provenCount;
  }

  /** The proven sockets of an identity. */
  getSocketsOf(identityKey: string): Iterable<AuthSocket> {
    return this.#byIdentity.get(identityKey) ?? [];
  }

  /** Ends the proven sockets of an identity, and tells their clients why. Clients of socket.io do not come back by themselves. */
  endSocketsOf(identityKey: string, reason: string): void {
    for (const socket of [...this.getSocketsOf(identityKey)]) refuseSocket(socket, reason);
  }

  /** Iterates over the open sockets. */
  *[Symbol.iterator](): IterableIterator<AuthSocket> {
    yield* this.#sockets.values();
  }

  /** @returns false when the client does not get a socket; its connection is closed then */
  async #waitToConnect(client: Client, namespace: string): Promise<boolean> {
    const { conn } = client;
    if (!this.#unprovenSlots.recordRequest(client, namespace)) return false;
    try {
      await this.options.scheduleConnect?.(conn);
    } catch {
      conn.close();
    }
    return conn.readyState === 'open';
  }

  #handleConnection(socket: Socket): void {
    this.#unprovenSlots.markConnected(socket);
    this.#sockets.set(socket, new AuthSocket(socket, this.#socketOptions));
  }

  #createCallbacks(): AuthSocketCallbacks {
    const { handlers } = this.options;
    return {
      onProven: (authenticated) => {
        this.#unprovenSlots.release(authenticated.ioSocket);
        return this.#handleProven(authenticated);
      },
      onEvent: (authenticated, event) => handlers.onEvent(authenticated, event),
      onRefused: (authenticated, error) => handlers.onRefused?.(authenticated, error),
      onUndelivered: (authenticated, problem) => handlers.onUndelivered?.(authenticated, problem),
      onClose: (authenticated, reason) => {
        this.#sockets.delete(authenticated.ioSocket);
        this.#unprovenSlots.release(authenticated.ioSocket);
        this.#removeFromIdentity(authenticated);
        handlers.onClose?.(authenticated, reason);
      },
    };
  }

  #handleProven(socket: AuthSocket): boolean {
    const key = socket.identityKey as string;
    const siblings = this.#byIdentity.get(key) ?? new Set();
    this.#byIdentity.set(key, siblings.add(socket));
    this.#provenCount += 1;
    const reason = this.#findRefusal(key, siblings.size);
    if (reason !== undefined) {
      refuseSocket(socket, reason);
      return false;
    }
    this.options.handlers.onOpen?.(socket);
    return true;
  }

  #findRefusal(identityKey: string, sockets: number): string | undefined {
    const refusal = this.options.refuseIdentity?.(identityKey);
    if (refusal !== undefined || sockets <= this.#maxSocketsPerIdentity) return refusal;
    this.options.handlers.onLimitHit?.('sockets_per_identity');
    return `One identity may have at most ${this.#maxSocketsPerIdentity} connections to this instance.`;
  }

  /** Asks once for each broadcast. */
  #admits(namespace: string, broadcast: Broadcast, socket: AuthSocket): boolean {
    if (this.options.admitBroadcast === undefined) return true;
    let admits = this.#admissions.get(broadcast);
    if (admits === undefined) {
      admits = this.options.admitBroadcast(namespace, broadcast);
      this.#admissions.set(broadcast, admits);
    }
    return admits(socket);
  }

  #removeFromIdentity(socket: AuthSocket): void {
    const { identityKey } = socket;
    if (identityKey === undefined) return;
    this.#provenCount -= 1;
    const siblings = this.#byIdentity.get(identityKey);
    siblings?.delete(socket);
    if (siblings?.size === 0) this.#byIdentity.delete(identityKey);
  }

  /** Closes the connection of the slowest client if too much is buffered after an event was sent to `socket`. */
  #closeSlowest(socket: AuthSocket): void {
    const siblings = this.#byIdentity.get(socket.identityKey ?? '');
    if (siblings !== undefined) this.#slowClientDetector.findSlowest(socket, siblings, () => this)?.closeAsTooSlow();
  }
}

function refuseSocket(socket: AuthSocket, reason: string): void {
  socket.emit('authenticationFailed', { reason });
  socket.disconnect();
}
