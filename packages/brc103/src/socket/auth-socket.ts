import type { Socket } from 'socket.io';
import type { Authenticator, IssuedSession } from '../authenticator.js';
import { AuthError, AuthFailedError, SessionNotFoundError } from '../errors.js';
import { ArrivingFrameMonitor, type ReserveFrameMemory } from './arriving-frame-monitor.js';
import type { AuthSocketLimits } from './auth-socket-limits.js';
import {
  type ClientFrame,
  type GeneralFrame,
  type InitialResponseFrame,
  parseClientFrame,
  parseSocketEvent,
  type SocketEvent,
} from './client-frames.js';
import type { Clock } from './clock.js';
import { compactSocket } from './compact-socket.js';
import type { DeliveryProblem } from './delivery-problem.js';
import { EncodedEvent } from './encoded-event.js';
import { InboundFrameQueue, type RunFrameInTurn } from './inbound-frame-queue.js';
import {
  type InitialRequestKind,
  PacedSendQueue,
  type SendQueueLimits,
  type SendQueueOwner,
} from './paced-send-queue.js';
import type { SendScheduler } from './send-scheduler.js';
import { encodeGeneralPacket, type ServerFrame } from './server-frames.js';
import { ServerHandshake } from './server-handshake.js';
import type { SocketOwner } from './socket-owner.js';
import { SocketSessions } from './socket-sessions.js';
import { SocketTransport } from './socket-transport.js';
import { TokenBucket } from './token-bucket.js';
import { UnprovenBuffer } from './unproven-buffer.js';
import type { UnprovenMemoryBudget } from './unproven-memory-budget.js';

/** The callbacks of one {@link AuthSocket}. */
export interface AuthSocketCallbacks {
  /** The client has proven its identity on this connection. Returns false to refuse it. */
  onProven(socket: AuthSocket): boolean;
  /** A verified event has arrived. Called in the order of sending. */
  onEvent(socket: AuthSocket, event: SocketEvent): void;
  /** A frame or an event was refused, and had no effect. */
  onRefused(socket: AuthSocket, error: AuthError): void;
  /** An event was not sent, or the connection was closed so that its client reconnects. */
  onUndelivered(socket: AuthSocket, problem: DeliveryProblem): void;
  /** The socket has closed. `reason` is that of socket.io. */
  onClose(socket: AuthSocket, reason: string): void;
}

/** The argument of `new AuthSocket()`, shared by the sockets of one server. */
export interface AuthSocketOptions {
  readonly authenticator: Authenticator;
  readonly limits: AuthSocketLimits;
  readonly unprovenMemory: UnprovenMemoryBudget;
  /**
   * Opens the account of the memory that a proven socket uses for frames that are still arriving. `evict` closes its
   * connection.
   */
  readonly reserveFrameMemory?: ReserveFrameMemory | undefined;
  readonly sendScheduler: SendScheduler;
  readonly sendQueueLimits: SendQueueLimits;
  /**
   * Decides when a frame of the socket is handled, and when more of a large frame is read (`bytesToRead` is set then).
   * Default: immediately.
   */
  readonly schedule?: ((socket: AuthSocket, work: () => void, bytesToRead?: number) => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly events: AuthSocketCallbacks;
}

/**
 * The name of an event that makes a client use a renewed session. Its data is `{}`. Clients ignore events whose names they
 * don't know.
 */
export const SESSION_REFRESHED = 'sessionRefreshed';

/** Clients forget a session that was idle for 30 minutes, so it is renewed well before. */
const REFRESH_INTERVAL_MS = 10 * 60_000;
/** The connection is closed after more refusals than this. */
const MAX_REFUSALS = 32;
/** A client starts a handshake for each event that it sends before its first handshake is done: hundreds, then none for hours. */
const HANDSHAKE_RATE = { burst: 1_024, perSecond: 16 };
/** The memory of a waiting frame in addition to its payload, approximately. */
const FRAME_OVERHEAD_BYTES = 1_024;
/** How many turns of the event loop `waitUntilIdle` waits for. */
const MAX_IDLE_CHECKS = 1_000;
const doNothing = () => undefined;

/**
 * The authenticated connection of one client: BRC-103 over socket.io.
 *
 * The client proves its identity once for each connection, so that frames captured from another connection are useless. A new
 * client makes a handshake here and signs with the nonce that it gets. A client that returns with an earlier session answers
 * a new challenge (an `initialRequest` of the server). Until then its events are held back, and nothing is sent. Afterwards,
 * frames with any valid nonce of the same identity are accepted.
 *
 * Everything that is sent goes through a `PacedSendQueue`, so that the client never gets more at once than it can handle. An
 * event is signed when it is sent, in a session that the client knows (`SocketSessions`).
 */
export class AuthSocket implements SocketOwner, SendQueueOwner {
  readonly #options: AuthSocketOptions;
  /** The identity of the first authentic frame. Frames of other identities are refused. */
  #claimedIdentity: string | undefined;
  /** Whether the client has proven that identity on this connection. Stays true when the socket closes. */
  #isProven = false;
  #refusalCount = 0;
  readonly #sessions: SocketSessions;
  readonly #serverHandshake: ServerHandshake;
  readonly #sendQueue: PacedSendQueue;
  readonly #frameQueue: InboundFrameQueue;
  readonly #frameMonitor: ArrivingFrameMonitor;
  /** Undefined once the identity is proven. */
  #unprovenBuffer: UnprovenBuffer | undefined;
  readonly #handshakeRate: TokenBucket;
  readonly #transport: SocketTransport;
  #cancelRefresh: () => void = doNothing;
  #cancelDeadline: () => void;

  /** @internal */
  constructor(
    private readonly socket: Socket,
    options: AuthSocketOptions,
  ) {
    this.#options = options;
    const { authenticator, limits, clock, schedule } = options;
    this.#transport = new SocketTransport(socket);
    this.#sessions = new SocketSessions(limits.maxFramesPerSession);
    this.#serverHandshake = new ServerHandshake(authenticator, clock, this);
    this.#handshakeRate = new TokenBucket(HANDSHAKE_RATE.burst, HANDSHAKE_RATE.perSecond, clock);
    const unprovenBuffer = new UnprovenBuffer(options.unprovenMemory.createReservation(), limits.maxPayloadBytes);
    this.#unprovenBuffer = unprovenBuffer;
    this.#sendQueue = new PacedSendQueue(options.sendQueueLimits, options.sendScheduler, this);
    const runInTurn: RunFrameInTurn | undefined = schedule && ((work) => schedule(this, work));
    this.#frameQueue = new InboundFrameQueue(socket.conn, runInTurn, this);
    this.#frameMonitor = new ArrivingFrameMonitor({
      connection: socket.conn,
      clock,
      maxFrameBytes: limits.maxFrameBytes,
      unprovenBuffer,
      reserve: options.reserveFrameMemory,
      owner: this,
    });
    this.#cancelDeadline = clock.startTimer(limits.authTimeoutMs, () => this.disconnect());
    socket.onAny((name: string, ...args: unknown[]) => this.#handlePacket(name, args));
    // engine.io closes the connection itself after a protocol violation. Without a listener, `error` would end the process.
    socket.on('error', () => undefined);
    socket.on('disconnect', (reason) => this.#handleDisconnect(reason));
  }

  /** @internal */
  get ioSocket(): Socket {
    return this.socket;
  }

  /** The socket's id in socket.io. */
  get id(): string {
    return this.socket.id;
  }

  /** The namespace of the socket, such as `/`. */
  get namespace(): string {
    return this.socket.nsp.name;
  }

  /** The client's identity key, 66 lower-case hex characters. Undefined until the identity is proven. */
  get identityKey(): string | undefined {
    return this.#isProven ? this.#claimedIdentity : undefined;
  }

  /** Whether the socket is open. */
  get connected(): boolean {
    return this.socket.connected;
  }

  /** Bytes that are buffered for the client, here or in the transport. */
  get bufferedBytes(): number {
    return this.#transport.bufferedBytes + this.#sendQueue.queuedBytes;
  }

  /** Events that wait until the client has handled earlier frames. */
  get queuedEvents(): number {
    return this.#sendQueue.queuedFrames;
  }

  /**
   * Sends a signed event to this client: now, or when the client has handled earlier frames.
   *
   * @param eventName at most 256 bytes of UTF-8; see `isAcceptedEventName`
   * @param data any JSON value
   * @param sent called when the event was handed to the transport
   * @returns false when the event is not sent: the identity is not proven, the socket is closed, the client is too slow, or
   *   clients don't accept such an event
   */
  emit(eventName: string, data: unknown, sent?: () => void): boolean {
    return this.#isProven && this.socket.connected && this.emitEncoded(new EncodedEvent(eventName, data), sent);
  }

  /** Sends an event that was encoded once for several clients. */
  emitEncoded(event: EncodedEvent, sent?: () => void): boolean {
    if (!this.#isProven || !this.socket.connected) return false;
    if (event.rejection !== undefined) return this.#reportUndelivered(event.rejection);
    const { length } = event.payload;
    const hasRoom =
      this.bufferedBytes + length <= this.#options.limits.maxBufferedBytes &&
      this.#sendQueue.sendEvent(length, () => {
        if (this.#signAndSend(event)) sent?.();
      });
    return hasRoom || this.closeUndelivered('too_slow');
  }

  /** The connection in engine.io, which knows the address of the client. */
  get connection(): Socket['conn'] {
    return this.socket.conn;
  }

  /**
   * Resolves when this process has no work left for the socket: no frame that has arrived, no event that can be sent. Gives
   * up after 1,000 turns of the event loop when the client keeps sending.
   */
  async waitUntilIdle(): Promise<void> {
    for (let turn = 0; turn < MAX_IDLE_CHECKS; turn++) {
      if (this.#frameQueue.isEmpty && !this.#sendQueue.isWaitingForTurn) return;
      await this.#options.sendScheduler.waitForTurn();
    }
  }

  /** Closes the connection because too much is buffered for its client, which reconnects. */
  closeAsTooSlow(): void {
    this.closeUndelivered('too_slow');
  }

  /** Joins a room of socket.io. */
  join(room: string): void {
    void this.socket.join(room);
  }

  /** Leaves a room of socket.io. */
  leave(room: string): void {
    void this.socket.leave(room);
  }

  /** Whether the socket has joined a room. */
  isIn(room: string): boolean {
    return this.socket.rooms.has(room);
  }

  /** The rooms that the socket has joined, without the one that socket.io gives to every socket. */
  get rooms(): string[] {
    return [...this.socket.rooms].filter((room) => room !== this.socket.id);
  }

  /** Closes the connection for good: socket.io clients do not reconnect by themselves. */
  disconnect(): void {
    this.#sendQueue.flushNow();
    this.socket.disconnect(true);
  }

  /** Closes the transport as a network failure would: clients reconnect, here or to another instance. */
  closeConnection(): void {
    this.socket.conn.close();
  }

  #handlePacket(name: string, args: unknown[]): void {
    // socket.io still hands over packets that arrived together with the frame that ended the connection.
    if (!this.socket.connected) return;
    this.#catchAuthErrors(() => {
      if (name !== 'authMessage') {
        throw new AuthFailedError(
          'Events must be signed: this server speaks BRC-103 only (see @bsv/authsocket-client)',
        );
      }
      const frame = parseClientFrame(args[0], this.#options.limits.maxPayloadBytes);
      const bytes = FRAME_OVERHEAD_BYTES + (frame.type === 'general' ? frame.payload.length : 0);
      this.#frameQueue.push(bytes, () => this.#catchAuthErrors(() => this.#handleFrame(frame)));
    });
  }

  #handleFrame(frame: ClientFrame): void {
    if (frame.type === 'initialRequest') this.#queueHandshake(frame.message);
    else if (frame.type === 'initialResponse') this.#handleInitialResponse(frame);
    else this.#handleEvent(frame);
  }

  /** Reports an {@link AuthError} of `work` as a refusal. */
  #catchAuthErrors(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      this.#reportRefusal(error);
    }
  }

  #queueHandshake(message: object): void {
    if (!this.#handshakeRate.take()) throw new AuthFailedError('Too many handshakes on one connection');
    this.#unprovenBuffer?.setWaitingHandshakes(this.#sendQueue.queuedAnswers + 1);
    // An immediate refusal is thrown to the caller; a later one is reported when its turn comes.
    let isWaiting = false;
    let failure: unknown;
    this.#sendQueue.answerHandshake(() => {
      try {
        this.#answerHandshake(message);
      } catch (error) {
        if (isWaiting && error instanceof AuthError) this.#reportRefusal(error);
        else failure = error;
      }
    });
    isWaiting = true;
    if (failure !== undefined) throw failure;
  }

  #answerHandshake(message: object): void {
    const { response, session } = this.#options.authenticator.answerHandshake(message);
    this.#requireSameIdentity(session.identityKey);
    this.#sessions.remember(session);
    this.#sendFrame(response);
  }

  #handleEvent(frame: GeneralFrame): void {
    const { authenticator, limits, clock } = this.#options;
    const open = authenticator.verifySessionNonce(frame.yourNonce, frame.identityKey);
    if (authenticator.getAgeMs(open) > limits.maxSessionAgeMs) throw new SessionNotFoundError();
    this.#requireSameIdentity(open.identityKey);
    authenticator.verifyGeneral(open, frame.nonce, frame.payload, frame.signature);
    const event = parseSocketEvent(frame.payload);
    this.#claimedIdentity ??= open.identityKey;
    const isPresent = this.#sessions.recordUse(open.nonce, clock.now());
    if (!this.#isProven) {
      if (!isPresent) {
        this.#unprovenBuffer?.addEvent(event, frame.payload.length);
        this.#sendQueue.challenge();
        return;
      }
      if (!this.#markProven()) return;
    }
    this.#options.events.onEvent(this, event);
  }

  /**
   * Handles the answer to an initialRequest of the server. After a challenge or a refresh, the new session signs: a client
   * sends in the session of the last message that it received, so messages in the old session would lead it back to the old
   * nonce. The session of a fence never signs.
   */
  #handleInitialResponse(frame: InitialResponseFrame): void {
    const answered = this.#serverHandshake.complete(frame);
    if (answered === undefined) return;
    const { kind, session, sentAt } = answered;
    this.#sendQueue.recordAnswer();
    if (kind !== 'fence') {
      this.#sessions.replaceSigningSession(session, sentAt);
      this.#scheduleRefresh(session);
    }
    if (kind === 'refresh') this.#sendQueue.sendFirst(() => this.#signAndSend(new EncodedEvent(SESSION_REFRESHED, {})));
    if (!this.#isProven) this.#markProven();
    this.#sendQueue.resume();
  }

  /** @returns false when the server refuses the client */
  #markProven(): boolean {
    this.#isProven = true;
    this.#cancelDeadline();
    this.#cancelDeadline = doNothing;
    this.#frameMonitor.markProven(this.#requireIdentity());
    const waitingEvents = this.#unprovenBuffer?.release() ?? [];
    this.#unprovenBuffer = undefined;
    if (this.#sessions.signingSession !== undefined) this.#scheduleRefresh(this.#sessions.signingSession);
    this.#sendQueue.markProven();
    compactSocket(this.socket);
    if (!this.#options.events.onProven(this)) return false;
    for (const event of waitingEvents) this.#options.events.onEvent(this, event);
    return true;
  }

  /** The claimed identity, which is known once a frame was authentic. */
  #requireIdentity(): string {
    if (this.#claimedIdentity === undefined) throw new Error('No frame of this connection was authentic yet');
    return this.#claimedIdentity;
  }

  #requireSameIdentity(identityKey: string): void {
    if (this.#claimedIdentity !== undefined && this.#claimedIdentity !== identityKey) {
      throw new AuthFailedError('This connection belongs to another identity');
    }
  }

  /** @internal */
  get isTransportIdle(): boolean {
    return this.#transport.isIdle;
  }

  /** @internal */
  sendInitialRequest(kind: InitialRequestKind): void {
    this.#sendFrame(this.#serverHandshake.begin(kind, this.#requireIdentity()));
  }

  /** @returns false when the client may have forgotten every session, so that the connection was closed */
  #signAndSend(event: EncodedEvent): boolean {
    const { authenticator, clock } = this.#options;
    const session = this.#sessions.takeSigningSession(clock.now());
    if (session === undefined) return this.closeUndelivered('session_forgotten');
    const { payload } = event;
    // JSON turns a byte into two to four characters.
    this.#transport.addBufferedBytes(payload.length * 4);
    const signed = authenticator.signGeneral(session, event.copyHash());
    this.#transport.write(
      encodeGeneralPacket(this.namespace, authenticator.identityKey, session.clientNonce, event, signed),
    );
    if (this.#sessions.needsRenewal) this.#sendQueue.refresh();
    return true;
  }

  #sendFrame(frame: ServerFrame): void {
    this.socket.emit('authMessage', frame);
  }

  /**
   * Renews the session at half of its life at the latest. The client of a socket never repeats a handshake by itself, and
   * forgets sessions that are idle.
   */
  #scheduleRefresh(session: Pick<IssuedSession, 'issuedAt'>): void {
    const { authenticator, clock } = this.#options;
    const due = Math.min(REFRESH_INTERVAL_MS, authenticator.sessionLifetimeMs / 2) - authenticator.getAgeMs(session);
    this.#cancelRefresh();
    this.#cancelRefresh = clock.startTimer(Math.max(due, 0), () => this.#sendQueue.refresh());
  }

  #reportUndelivered(problem: DeliveryProblem): false {
    this.#options.events.onUndelivered(this, problem);
    return false;
  }

  /** @internal */
  async waitForReadTurn(bytes: number): Promise<void> {
    await this.#options.schedule?.(this, () => undefined, bytes).catch(() => this.closeUndelivered('overloaded'));
  }

  /** @internal */
  closeUndelivered(problem: DeliveryProblem): false {
    if (this.socket.connected) {
      this.#reportUndelivered(problem);
      this.#sendQueue.close();
      this.#frameQueue.close();
      if (problem === 'frame_too_slow') this.#frameMonitor.abort();
      else this.closeConnection();
    }
    return false;
  }

  #reportRefusal(error: AuthError): void {
    this.#refusalCount += 1;
    this.#options.events.onRefused(this, error);
    if (this.#refusalCount > MAX_REFUSALS) {
      this.disconnect();
      return;
    }
    // Not signed, because the client may not be authenticated. Authenticated clients ignore it, plain socket.io clients read it.
    this.socket.emit('authenticationFailed', { reason: error.message });
  }

  #handleDisconnect(reason: string): void {
    this.#cancelDeadline();
    this.#cancelRefresh();
    this.#serverHandshake.cancel();
    this.#sendQueue.close();
    this.#frameQueue.close();
    this.#unprovenBuffer?.release();
    this.#frameMonitor.release();
    this.#transport.release();
    // Nothing else would close a connection that is in no namespace any more.
    if (!this.#transport.hasNamespace) this.closeConnection();
    this.#options.events.onClose(this, reason);
  }
}
