import { READ_COST_MS_PER_BYTE } from '@messagebox/brc103';
import { type AuthSocket, AuthSocketServer } from '@messagebox/brc103/socket-io';
import {
  listLiveNamespaces,
  type PaymentProcessor,
  type ReadChargesOptions,
  type RoomEventPublisher,
  type StorageQuotas,
} from '@messagebox/messages';
import {
  type BlockList,
  type Config,
  createSocketIoPublisher,
  FairScheduler,
  type LimitHitReporter,
  type Logger,
  type Metrics,
  onPushWakeup,
  type RateLimits,
  type RoomEventBroker,
  type RoomMemory,
  type SendRateLimits,
  type ServerIdentity,
  type Source,
  type Tracer,
} from '@messagebox/shared';
import type { MessageStore } from '@messagebox/store';
import type { Server } from 'socket.io';
import type { EventContext } from './events/event-context.js';
import { EventDispatcher } from './events/event-dispatcher.js';
import type { PushService } from './push/index.js';
import { LiveRecovery, type RecoveryTimes } from './recovery/live-recovery.js';
import { ConnectionRooms } from './replay/connection-rooms.js';
import { holdForReplay } from './replay/hold-for-replay.js';
import { LivePosition } from './replay/live-position.js';
import { RecentRestores } from './replay/recent-restores.js';
import { Replays } from './replay/replays.js';
import { Admission, type AdmittedConnection } from './sockets/admission.js';
import { DeliveryTraces } from './sockets/delivery-traces.js';
import { drainSockets } from './sockets/drain.js';
import { BLOCKED_REASON, endUnwantedSockets } from './sockets/end-unwanted-sockets.js';
import { acceptForwarded, forwardToOwner } from './sockets/forward-to-owner.js';
import { FrameMemory } from './sockets/frame-memory.js';
import { addSocketGauges } from './sockets/gauges.js';
import type { Heartbeat } from './sockets/heartbeat.js';
import type { InstanceRegistry } from './sockets/instance-registry.js';
import { startRoomRefresh } from './sockets/room-refresh.js';
import { createSocketHandlers } from './sockets/socket-handlers.js';
import { attachSocketIo, createSocketIo, type SocketIoHost, serveUnderPrefix } from './sockets/socket-io.js';

export interface RealtimeOptions extends ReadChargesOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly store: MessageStore;
  readonly identity: ServerIdentity;
  readonly broker: RoomEventBroker;
  readonly memory: RoomMemory;
  /** Identities that may not use this server. */
  readonly blockList: BlockList;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly limitsHit: LimitHitReporter;
  readonly rates: RateLimits;
  readonly sendRates: SendRateLimits;
  readonly quotas: StorageQuotas;
  /** Undefined: payments are refused. */
  readonly payments?: PaymentProcessor | undefined;
  /** Undefined: nothing is pushed to devices. */
  readonly push?: PushService | undefined;
  /** Divides this process's time among clients. Shared with the other work of the process. Default: a new one. */
  readonly scheduler?: FairScheduler | undefined;
  /** For tests. Default: the one for production. */
  readonly heartbeat?: Heartbeat | undefined;
  /** For tests. Default: those for production. */
  readonly recoveryTimes?: RecoveryTimes | undefined;
}

/**
 * The memory that each socket has for itself: for unfinished frames, and for all events before its identity is proven.
 * Memory beyond it is shared among sockets.
 */
const RESERVED_SOCKET_BYTES = 65_536;

/**
 * The realtime service without its process: this class creates and connects the parts of live delivery.
 *
 * `attach` serves sockets on an HTTP server; `publisher` announces stored messages on all instances; `drain` moves
 * clients to other instances.
 */
export class Realtime {
  readonly publisher: RoomEventPublisher;
  readonly #io: Server;
  readonly #namespaces: readonly string[];
  readonly #admission: Admission;
  readonly #dispatcher: EventDispatcher;
  readonly #sockets: AuthSocketServer;
  readonly #recovery: LiveRecovery;
  readonly #stopEnding: () => void;
  readonly #stopRoomRefresh: () => void;
  readonly #livePosition: LivePosition;
  #closeForwarded = () => {};
  #isDraining = false;

  constructor(private readonly options: RealtimeOptions) {
    const { config, log, metrics, tracer, limitsHit, rates, push } = options;
    const limits = config.limits.sockets;
    const maxBodyBytes = config.limits.liveBody;
    // A body of n bytes is JSON within JSON within an array of numbers: about five characters for each byte.
    const maxFrameBytes = maxBodyBytes * 6;
    // The limit for a new connection. It is raised when the connection joins a namespace.
    const reservedBytes = Math.min(RESERVED_SOCKET_BYTES, maxFrameBytes);
    const scheduler = options.scheduler ?? new FairScheduler();

    this.#namespaces = listLiveNamespaces(config.routingPrefix);
    this.#io = createSocketIo(options.broker, reservedBytes, options.heartbeat);
    this.publisher = createSocketIoPublisher({
      io: this.#io,
      namespaces: this.#namespaces,
      isAlone: options.broker.adapter === undefined,
      maxBodyBytes,
      log,
      metrics,
      tracer,
    });
    if (push !== undefined) onPushWakeup(this.#io, push.notify);

    this.#admission = new Admission({
      trustedProxies: config.trustedProxies,
      waitForTurn: (address, ms) => scheduler.run({ address }, () => undefined, ms),
      newSockets: rates.openShared('new_sockets', config.limits.rates.newSockets),
      socketsPerAddress: limits.perAddress,
      unprovenSockets: limits.unproven,
      onHit: limitsHit.report,
    });
    const frameMemory = new FrameMemory(RESERVED_SOCKET_BYTES, limits.frameBytes, () =>
      limitsHit.report('frame_bytes'),
    );
    const sockets: Iterable<AuthSocket> = { [Symbol.iterator]: () => this.#sockets[Symbol.iterator]() };
    const connectionRooms = new ConnectionRooms(options.memory, sockets, log);
    const getSource = (socket: AuthSocket) => this.#getSource(socket);
    this.#recovery = new LiveRecovery({
      io: this.#io,
      namespaces: this.#namespaces,
      store: options.store,
      gaps: options.broker.gaps,
      getSocketsOf: (identityKey) => this.#sockets.getSocketsOf(identityKey),
      maxBodyBytes,
      maxBuffered: limits.waiting,
      metrics,
      limitsHit,
      log,
      times: options.recoveryTimes,
    });
    const replays = new Replays({
      ...options,
      delivered: this.#recovery.delivered,
      maxBodyBytes,
      schedule: (socket, work) => scheduler.run(getSource(socket), work),
    });
    const restores = new RecentRestores();
    this.#dispatcher = new EventDispatcher({
      context: this.#createEventContext(connectionRooms, replays, restores),
      rate: rates.openShared('events', config.limits.rates.events),
      maxEventsUnderWay: limits.eventsUnderWay,
      metrics,
      tracer,
    });

    const deliveryTraces = new DeliveryTraces(tracer);
    this.#sockets = new AuthSocketServer({
      io: this.#io,
      authenticator: options.identity.authenticator,
      namespaces: this.#namespaces,
      limits: {
        maxSessionAgeMs: config.sessions.socketMaxMs,
        authTimeoutMs: config.socketAuthMs,
        maxPayloadBytes: maxBodyBytes * 2 + 65_536,
        maxFrameBytes,
        maxBufferedBytes: limits.waiting.bytes,
        maxQueuedEvents: limits.waiting.events,
      },
      maxSocketsPerIdentity: limits.perIdentity,
      refuseIdentity: (identityKey) => (options.blockList.isBlocked(identityKey) ? BLOCKED_REASON : undefined),
      unprovenMemory: { each: reservedBytes, shared: limits.unprovenBytes },
      sendBufferLimits: {
        maxBytesPerIdentity: limits.waiting.bytesOfIdentity,
        maxBytesTotal: limits.waiting.bytesOfAll,
      },
      admitBroadcast: (namespace, broadcast) => {
        const admits = this.#recovery.admitBroadcast(namespace, broadcast);
        return deliveryTraces.follow(
          broadcast,
          (socket) => admits(socket) && !holdForReplay(replays.holds, socket, broadcast),
        );
      },
      schedule: (socket, work, bytesToRead = 0) =>
        scheduler.run(getSource(socket), work, bytesToRead * READ_COST_MS_PER_BYTE),
      scheduleConnect: (connection) => this.#admission.waitToConnect(connection),
      admitUnproven: ({ conn }, evict) => this.#admitUnproven(conn, evict),
      reserveFrameMemory: (identityKey, evict) => frameMemory.open(identityKey, evict),
      handlers: createSocketHandlers({
        dispatcher: this.#dispatcher,
        connectionRooms,
        scheduler,
        getSource,
        metrics,
        deliveryTraces,
        limitsHit,
        log,
      }),
    });
    this.#stopEnding = endUnwantedSockets(this.#sockets, options);
    addSocketGauges(metrics, { io: this.#io, namespaces: this.#namespaces, sockets: this.#sockets, frameMemory });
    this.#stopRoomRefresh = startRoomRefresh(connectionRooms);
    this.#livePosition = new LivePosition({
      ...options,
      rooms: connectionRooms,
      restores,
      sockets,
      getRecoveryLagMs: () => this.#recovery.lagMs,
    });
  }

  /** The number of sockets that are open on this instance, proven or not. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Serves sockets on an HTTP server, at `/socket.io/`. */
  attach(server: SocketIoHost): void {
    attachSocketIo(this.#io, server, {
      routingPrefix: this.options.config.routingPrefix,
      admission: this.#admission,
      heartbeat: this.options.heartbeat,
      onLimitHit: (limit) => this.options.limitsHit.report(limit),
      isDraining: () => this.#isDraining,
    });
  }

  /**
   * Forwards requests of connections that other instances hold, and accepts forwarded requests on the internal port.
   * Call it after `attach`, with the same HTTP server.
   */
  joinInstances({ http }: SocketIoHost, internal: SocketIoHost, registry: InstanceRegistry): void {
    this.#closeForwarded = forwardToOwner(this.#io, http, registry, this.options.log);
    // The forwarding listener now runs first, so it must also see the path without the prefix.
    const { routingPrefix } = this.options.config;
    if (routingPrefix !== '') serveUnderPrefix(http, routingPrefix);
    acceptForwarded(this.#io, internal);
  }

  /**
   * Refuses new sockets, lets unfinished events end, and closes the connections in batches. Clients reconnect by
   * themselves to other instances.
   */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#stopRoomRefresh();
    void this.#livePosition.close();
    this.#closeForwarded();
    await drainSockets({
      io: this.#io,
      sockets: this.#sockets,
      waitUntilHandled: (socket) => this.#dispatcher.waitUntilIdle(socket),
    });
    this.#io.engine?.close();
  }

  /** Closes all connections at once. Clients reconnect as after a network failure. */
  close(): void {
    this.#stopRoomRefresh();
    void this.#livePosition.close();
    this.#recovery.close();
    this.#stopEnding();
    this.#isDraining = true;
    // io.close() would send disconnect packets, after which clients do not reconnect.
    this.#io.engine?.close();
    for (const namespace of this.#namespaces) void this.#io.of(namespace).adapter.close();
  }

  #createEventContext(connectionRooms: ConnectionRooms, replays: Replays, restores: RecentRestores): EventContext {
    const { options } = this;
    const { limits } = options.config;
    return {
      store: options.store,
      permissions: options.permissions,
      deliveryFees: options.deliveryFees,
      quotas: options.quotas,
      payments: options.payments,
      prices: options.config.prices,
      events: this.publisher,
      push: options.push?.outboxWriter,
      normaliseKey: options.identity.normaliseKey,
      sendRateLimits: options.sendRates,
      maxRecipients: limits.recipients,
      maxListedBytes: limits.listedBody,
      rooms: options.broker,
      memory: options.memory,
      connectionRooms,
      replays,
      restores,
      restoring: new WeakMap(),
      maxRooms: limits.sockets.rooms,
      maxSocketsInRoom: limits.sockets.perRoom,
      countSocketsIn: (room) => this.#countSocketsIn(room),
      limitsHit: options.limitsHit,
      tracer: options.tracer,
      maxBodyBytes: limits.liveBody,
      log: options.log,
    };
  }

  #countSocketsIn(room: string): number {
    let count = 0;
    for (const namespace of this.#namespaces) count += this.#io.of(namespace).adapter.rooms.get(room)?.size ?? 0;
    return count;
  }

  #getSource({ connection, identityKey }: AuthSocket): Source {
    return { address: this.#admission.getAddress(connection), identityKey, isProven: identityKey !== undefined };
  }

  #admitUnproven(connection: AdmittedConnection, evict: () => void): (() => void) | undefined {
    const reportHit = () => this.options.limitsHit.report('unproven_sockets');
    const release = this.#admission.admitUnproven(connection, () => {
      reportHit();
      evict();
    });
    if (release === undefined) reportHit();
    return release;
  }
}
