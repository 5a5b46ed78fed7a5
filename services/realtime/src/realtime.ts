import {
  type AuthSocket,
  AuthSocketServer,
  type DeliveryProblem,
  READING_MS_PER_BYTE,
  type SocketEvent,
} from '@messagebox/brc103';
import {
  type ChargeParts,
  type Config,
  FairScheduler,
  hearPushHints,
  type LimitsHit,
  type Logger,
  limitedLines,
  liveNamespaces,
  type MessageStore,
  type Metrics,
  type PaymentTaker,
  type RateLimit,
  type RateLimits,
  type RoomEventBroker,
  type RoomEventPublisher,
  type RoomMemory,
  type SendRates,
  type ServerIdentity,
  type Source,
  type StorageQuotas,
  socketIoPublisher,
  TooManyRequestsError,
} from '@messagebox/shared';
import { clientEvents, type EventParts, refuseEvent, UNKNOWN_EVENT_COST } from './events/index.js';
import type { PushService } from './push/index.js';
import { Admission, type AdmittedConnection } from './sockets/admission.js';
import { FrameMemory } from './sockets/frame-memory.js';
import type { Heartbeat } from './sockets/heartbeat.js';
import type { InstanceRegistry } from './sockets/instance-registry.js';
import { Lanes } from './sockets/lanes.js';
import { passOn, takePassed } from './sockets/pass-on.js';
import { attachSocketIo, createSocketIo, type SocketIoHost, serveBelow } from './sockets/socket-io.js';

export interface RealtimeParts extends ChargeParts {
  readonly config: Config;
  readonly log: Logger;
  readonly store: MessageStore;
  readonly identity: ServerIdentity;
  readonly broker: RoomEventBroker;
  readonly memory: RoomMemory;
  readonly metrics: Metrics;
  readonly limitsHit: LimitsHit;
  readonly rates: RateLimits;
  readonly sendRates: SendRates;
  readonly quotas: StorageQuotas;
  /** Undefined: payments are refused. */
  readonly payments?: PaymentTaker | undefined;
  /** Undefined: nothing is pushed to devices. */
  readonly push?: PushService | undefined;
  /** Divides this process's time among clients; shared with whatever else the process does. Default: one of its own. */
  readonly scheduler?: FairScheduler | undefined;
  /** For tests; the usual one unless given. */
  readonly heartbeat?: Heartbeat | undefined;
}

/** Rooms in use are noted again so often, so that none is forgotten under a socket that stays for days. */
const TOUCH_ROOMS_MS = 3_600_000;
const DRAIN_BATCH = 200;
const DRAIN_PAUSE_MS = 100;
/** Bytes that each socket has for itself, of frames that are still coming, and before its identity is proven of events. */
const OWN_BYTES = 65_536;
/** What a refused frame costs its source, beside the work. Milliseconds. */
const REFUSED_FRAME_MS = 5;
/** Those of the problems with a socket that are limits. */
const LIMIT_OF_PROBLEM: ReadonlyMap<DeliveryProblem, string> = new Map([
  ['too_slow', 'slow_clients'],
  ['frame_too_slow', 'frame_pace'],
  ['overloaded', 'waiting_frames'],
]);
/** A client that goes on sending is not waited for again and again. */
const IDLE_ROUNDS = 5;
/** Clients over long polling hear with their next poll that they are to move on; who does not poll is gone. */
const LAST_POLLS_MS = 2_000;
const LAST_POLLS_LOOK_MS = 25;

/**
 * The realtime service without its process: the whole wiring of live delivery.
 *
 * `attach` it to an HTTP server to take sockets; `publisher` announces stored messages to all instances; `drain` lets
 * clients move on to other instances.
 */
export class Realtime {
  readonly publisher: RoomEventPublisher;
  readonly #io;
  readonly #sockets: AuthSocketServer;
  readonly #lanes = new WeakMap<AuthSocket, Lanes>();
  readonly #namespaces: readonly string[];
  readonly #touching: NodeJS.Timeout;
  readonly #events: EventParts;
  readonly #admission: Admission;
  readonly #limits: Config['limits']['sockets'];
  readonly #limitsHit: LimitsHit;
  readonly #eventRate: RateLimit;
  readonly #frameMemory: FrameMemory;
  readonly #scheduler: FairScheduler;
  #draining = false;
  #endPassed = () => {};

  constructor(private readonly parts: RealtimeParts) {
    const { config, log, metrics } = parts;
    const lines = limitedLines(log);
    const live = config.limits.liveBody;
    const limits = config.limits.sockets;
    this.#limits = limits;
    this.#limitsHit = parts.limitsHit;
    this.#scheduler = parts.scheduler ?? new FairScheduler();
    this.#admission = new Admission({
      trustedProxies: config.trustedProxies,
      askTurn: (address, ms) => this.#scheduler.run({ address }, () => undefined, ms),
      newSockets: parts.rates.openShared('new_sockets', config.limits.rates.newSockets),
      socketsPerAddress: limits.perAddress,
      unprovenSockets: limits.unproven,
      onHit: this.#limitsHit.hit,
    });
    this.#frameMemory = new FrameMemory(OWN_BYTES, limits.frameBytes, () => this.#limitsHit.hit('frame_bytes'));
    this.#eventRate = parts.rates.openShared('events', config.limits.rates.events);
    // A body of n bytes is JSON within JSON within an array of numbers: about five characters for each byte.
    const frameBytes = live * 6;
    const namespaces = liveNamespaces(config.routingPrefix);
    this.#namespaces = namespaces;
    // The bound of every new connection; it is raised for each that has joined a namespace.
    const each = Math.min(OWN_BYTES, frameBytes);
    this.#io = createSocketIo(parts.broker, each, parts.heartbeat);
    this.publisher = socketIoPublisher({
      io: this.#io,
      namespaces,
      isAlone: parts.broker.adapter === undefined,
      maxBodyBytes: live,
      log,
      metrics,
    });
    this.#events = {
      store: parts.store,
      permissions: parts.permissions,
      deliveryFees: parts.deliveryFees,
      quotas: parts.quotas,
      payments: parts.payments,
      events: this.publisher,
      push: parts.push?.notes,
      normaliseKey: parts.identity.normaliseKey,
      sendRates: parts.sendRates,
      maxRecipients: config.limits.recipients,
      rooms: parts.broker,
      memory: parts.memory,
      restored: new WeakSet(),
      maxRooms: limits.rooms,
      maxSocketsInRoom: limits.perRoom,
      socketsIn: (room) => this.#socketsIn(room),
      limitsHit: this.#limitsHit,
      maxBodyBytes: live,
      log,
    };
    if (parts.push !== undefined) hearPushHints(this.#io, parts.push.wake);
    this.#sockets = new AuthSocketServer({
      io: this.#io,
      authenticator: parts.identity.authenticator,
      namespaces,
      limits: {
        sessionMaxMs: config.sessions.socketMaxMs,
        proveWithinMs: config.socketAuthMs,
        payloadBytes: live * 2 + 65_536,
        frameBytes,
        bufferedBytes: limits.waiting.bytes,
        waitingEvents: limits.waiting.events,
      },
      maxPerIdentity: limits.perIdentity,
      unprovenBytes: { each, shared: limits.unprovenBytes },
      schedule: (socket, work, bytesToRead = 0) =>
        this.#scheduler.run(this.#sourceOf(socket), work, bytesToRead * READING_MS_PER_BYTE),
      owedBytes: { perIdentity: limits.waiting.bytesOfIdentity, total: limits.waiting.bytesOfAll },
      openFrameMemory: (identityKey, evict) => this.#frameMemory.open(identityKey, evict),
      admitUnproven: ({ conn }, evict) => this.#admitUnproven(conn, evict),
      handlers: {
        opened: (socket) => {
          this.#lanes.set(socket, new Lanes());
          this.#scheduler.noteProven(this.#sourceOf(socket));
          metrics.authOutcomes.inc({ transport: 'socket', outcome: 'ok' });
        },
        event: (socket, event) => this.#handle(socket, event),
        refused: (socket, error) => {
          this.#scheduler.charge(this.#sourceOf(socket), REFUSED_FRAME_MS);
          metrics.authOutcomes.inc({ transport: 'socket', outcome: error.code });
          lines.write('info', { socket: socket.id, code: error.code, reason: error.message }, 'frame refused');
        },
        delivered: (_socket, _event, storedAt) => {
          metrics.delivered.inc();
          if (typeof storedAt === 'number') metrics.deliveryLatency.observe(Math.max(0, Date.now() - storedAt) / 1_000);
        },
        undelivered: (socket, problem) => {
          metrics.undelivered.inc({ reason: problem });
          const limit = LIMIT_OF_PROBLEM.get(problem);
          if (limit !== undefined) this.#limitsHit.hit(limit);
          lines.write('info', { socket: socket.id, problem }, 'a socket was not sent an event');
        },
        limitHit: this.#limitsHit.hit,
        closed: (socket, reason) => log.debug({ socket: socket.id, reason }, 'socket closed'),
      },
    });
    this.#addGauges(metrics);
    this.#touching = setInterval(() => this.#touchRooms(), TOUCH_ROOMS_MS);
    this.#touching.unref();
  }

  /** Sockets that are open on this instance, proven or not. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Takes sockets on this server from now on, at `/socket.io/`. */
  attach(server: SocketIoHost): void {
    attachSocketIo(this.#io, server, {
      routingPrefix: this.parts.config.routingPrefix,
      admission: this.#admission,
      heartbeat: this.parts.heartbeat,
      limitHit: (limit) => this.#limitsHit.hit(limit),
      draining: () => this.#draining,
    });
  }

  /** Passes requests of other instances' connections on to them, and takes from them those of its own. After `attach`. */
  share({ http }: SocketIoHost, internal: SocketIoHost, registry: InstanceRegistry): void {
    this.#endPassed = passOn(this.#io, http, registry, this.parts.log);
    // It has put itself in front, and needs to be shown the same path.
    const { routingPrefix } = this.parts.config;
    if (routingPrefix !== '') serveBelow(http, routingPrefix);
    takePassed(this.#io, internal);
  }

  /**
   * Takes no new sockets, lets events that are under way end and be answered, and closes the transports in batches:
   * clients come back by themselves, to other instances, and not all at once. Resolves when no socket is left.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    clearInterval(this.#touching);
    this.#endPassed();
    const open = [...this.#sockets];
    for (let i = 0; i < open.length; i += DRAIN_BATCH) {
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_PAUSE_MS));
      await Promise.all(open.slice(i, i + DRAIN_BATCH).map((socket) => this.#moveOn(socket)));
    }
    const deadline = Date.now() + LAST_POLLS_MS;
    while ((this.#io.engine?.clientsCount ?? 0) > 0 && Date.now() < deadline) {
      // Also those whose handshake had begun before.
      await Promise.all([...this.#sockets].map((socket) => this.#moveOn(socket)));
      await new Promise((resolve) => setTimeout(resolve, LAST_POLLS_LOOK_MS));
    }
    this.#io.engine?.close();
  }

  /** Ends what is left, without telling clients not to come back. */
  close(): void {
    clearInterval(this.#touching);
    this.#draining = true;
    // Not io.close(): it tells every client that the server meant it, and those do not come back.
    this.#io.engine?.close();
    for (const namespace of this.#namespaces) this.#io.of(namespace).adapter.close();
  }

  async #moveOn(socket: AuthSocket): Promise<void> {
    const lanes = this.#lanes.get(socket);
    await socket.settled();
    // What comes meanwhile has begun, too, and is to be answered.
    for (let i = 0; i < IDLE_ROUNDS && lanes !== undefined && lanes.running > 0; i++) await lanes.idle();
    await socket.settled();
    // Who has not taken the answers by now lists what it has missed.
    if (this.#hears(socket)) socket.closeTransport();
  }

  /** Between two long polls a client can't be told, and would go on sending in vain until the next one. */
  #hears(socket: AuthSocket): boolean {
    return this.#io.of(socket.namespace).sockets.get(socket.id)?.conn.transport.writable === true;
  }

  #handle(socket: AuthSocket, { eventName, data }: SocketEvent): void {
    const event = clientEvents.get(eventName);
    const lanes = this.#lanes.get(socket);
    const { identityKey } = socket;
    if (lanes === undefined || identityKey === undefined) return;
    if (event === undefined) {
      void this.#isWithinRate(identityKey, UNKNOWN_EVENT_COST);
      return;
    }
    this.parts.metrics.socketEvents.inc({ event: eventName });
    const refuse = (reason: string) => refuseEvent(this.#events, socket, eventName, data, reason);
    if (lanes.running >= this.#limits.eventsUnderWay) {
      this.#limitsHit.hit('events_under_way');
      refuse('Too many events of this connection are under way. Try again later.');
      return;
    }
    lanes.run(laneOf(eventName, data), async () => {
      try {
        if (await this.#isWithinRate(identityKey, event.cost)) await event.handle(this.#events, socket, data);
        else refuse('Too many events of this identity. Try again later.');
      } catch (error) {
        limitedLines(this.parts.log).write('error', { err: error, event: eventName }, 'an event handler failed');
      }
    });
  }

  /** Counts an event. */
  async #isWithinRate(identityKey: string, cost: number): Promise<boolean> {
    try {
      await this.#eventRate.admit(identityKey);
      await this.#eventRate.charge(identityKey, cost - 1);
      return true;
    } catch (error) {
      if (!(error instanceof TooManyRequestsError)) throw error;
      return false;
    }
  }

  #sourceOf(socket: AuthSocket): Source {
    return { address: this.#admission.addressOf(socket.connection), identityKey: socket.identityKey };
  }

  #socketsIn(room: string): number {
    let count = 0;
    for (const namespace of this.#namespaces) count += this.#io.of(namespace).adapter.rooms.get(room)?.size ?? 0;
    return count;
  }

  #admitUnproven(connection: AdmittedConnection, evict: () => void): (() => void) | undefined {
    const hit = () => this.#limitsHit.hit('unproven_sockets');
    const release = this.#admission.admitUnproven(connection, () => {
      hit();
      evict();
    });
    if (release === undefined) hit();
    return release;
  }

  #addGauges(metrics: Metrics): void {
    const sockets = this.#sockets;
    metrics.gauges('messagebox_sockets', 'Open sockets, by whether their identity is proven.', 'state', () => ({
      proven: sockets.proven,
      unproven: sockets.unproven,
    }));
    metrics.gauge('messagebox_rooms', 'Rooms with a socket on this instance.', () => {
      let rooms = 0;
      for (const namespace of this.#namespaces) {
        const { adapter } = this.#io.of(namespace);
        rooms += adapter.rooms.size - adapter.sids.size; // every socket has a room for itself
      }
      return rooms;
    });
    metrics.gauge(
      'messagebox_socket_frame_bytes',
      'Bytes that frames which are still coming take of what all sockets share.',
      () => this.#frameMemory.usedBytes,
    );
    metrics.gauges('messagebox_socket_buffered_bytes', 'Bytes that wait for slow clients.', 'of', () => {
      const bytes = [...sockets].map((socket) => socket.bufferedBytes);
      return { all: bytes.reduce((sum, n) => sum + n, 0), slowest: Math.max(0, ...bytes) };
    });
  }

  #touchRooms(): void {
    for (const socket of this.#sockets) {
      if (socket.identityKey === undefined) continue;
      this.parts.memory
        .remember(socket.identityKey, socket.rooms)
        .catch((error: unknown) => this.parts.log.debug({ reason: String(error) }, 'could not remember rooms'));
    }
  }
}

/**
 * Sends into one room happen in the order of sending, and so do joining and leaving it; a join that waits for the
 * broker holds no send back.
 */
function laneOf(eventName: string, data: unknown): string {
  if (eventName !== 'sendMessage') return `room ${typeof data === 'string' ? data : ''}`;
  const roomId = typeof data === 'object' && data !== null && 'roomId' in data ? data.roomId : '';
  return `send ${typeof roomId === 'string' ? roomId : ''}`;
}
