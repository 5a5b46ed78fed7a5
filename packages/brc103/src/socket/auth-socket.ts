import type { Socket } from 'socket.io';
import type { Authenticator, OpenSession } from '../authenticator.js';
import { AuthError, AuthFailedError, SessionNotFoundError } from '../errors.js';
import type { Clock } from './clock.js';
import { EncodedEvent } from './encoded-event.js';
import { boundFrames } from './frame-bound.js';
import { FrameInbox, type Schedule } from './frame-inbox.js';
import { FramePace } from './frame-pace.js';
import { FramePortions } from './frame-portions.js';
import {
  type ClientFrame,
  type GeneralFrame,
  type InitialResponseFrame,
  parseEvent,
  parseFrame,
  type SocketEvent,
} from './frames.js';
import { PacedOutbox, type QuestionKind } from './paced-outbox.js';
import type { SendTurns } from './send-turns.js';
import { SocketSessions } from './socket-sessions.js';
import { TokenBucket } from './token-bucket.js';
import { UnprovenEvents } from './unproven-events.js';
import type { MemoryAccount, UnprovenMemory } from './unproven-memory.js';
import { type EncodedPacket, generalPacket, initialRequest, type ServerFrame } from './wire-frames.js';

export interface AuthSocketLimits {
  /** How long an authentic session nonce is taken on a socket, past its life over HTTP. Milliseconds. */
  readonly sessionMaxMs: number;
  /** A socket that has proven no identity by then is ended. Milliseconds. */
  readonly proveWithinMs: number;
  /** Payload bytes of one event of a client. */
  readonly payloadBytes: number;
  /** Bytes of one frame of a client. */
  readonly frameBytes: number;
  /** Bytes that may wait for a slow client; above it its connection is closed, and it comes back for more. */
  readonly bufferedBytes: number;
  /** Events that may wait for a slow client; above it the same. Default 16,384. */
  readonly waitingEvents?: number;
  /** Signed frames after which the session that signs is renewed. Default 50,000. */
  readonly framesPerSession?: number;
}

/** Why an event was not sent, or the connection was closed so that its client comes back. */
export type DeliveryProblem =
  /** Today's clients close for good on an event of this name, or of this size: it is not sent. */
  | 'unspeakable_name'
  | 'too_large'
  /** Too much waits for the client. */
  | 'too_slow'
  /** An initialRequest of ours was not answered. */
  | 'no_answer'
  /** The client may have forgotten the session that signs. */
  | 'session_forgotten'
  /** A frame of the client's takes too long to come. */
  | 'frame_too_slow'
  /** Too many frames of the client's wait to be verified, or one has waited for too long. */
  | 'overloaded';

export interface AuthSocketEvents {
  /** The client has proven its identity on this very connection. Return false to refuse it. */
  proven(socket: AuthSocket): boolean;
  /** A verified event of the proven identity, in the order of sending. */
  event(socket: AuthSocket, event: SocketEvent): void;
  /** A frame or an event was refused, and had no effect. */
  refused(socket: AuthSocket, error: AuthError): void;
  /** Something could not be delivered. */
  undelivered(socket: AuthSocket, problem: DeliveryProblem): void;
  closed(socket: AuthSocket, reason: string): void;
}

/** The parts that all sockets of one server share. */
export interface AuthSocketParts {
  readonly authenticator: Authenticator;
  readonly limits: AuthSocketLimits;
  readonly unprovenMemory: UnprovenMemory;
  /**
   * Begins the account of what a socket with a proven identity holds of frames that are still coming. `evict` ends its
   * connection.
   */
  readonly openFrameMemory?: ((identityKey: string, evict: () => void) => MemoryAccount) | undefined;
  readonly turns: SendTurns;
  /**
   * When a frame of this socket is worked on, and when more of a large one is read: then that is so many bytes. Undefined: as
   * they come.
   */
  readonly schedule?: ((socket: AuthSocket, work: () => void, bytesToRead?: number) => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly events: AuthSocketEvents;
}

/** A signed event without meaning, by which a client learns to use a renewed session. Clients ignore names they don't know. */
export const SESSION_REFRESHED = 'sessionRefreshed';

/** A client forgets a session that was idle for 30 minutes. */
const REFRESH_MS = 10 * 60_000;
/** So long a client may take to answer an initialRequest; its wallet may have to ask a person. */
const ANSWER_WITHIN_MS = 5 * 60_000;
/** Refusals after which a connection is not worth keeping. */
const MAX_REFUSALS = 32;
/** A client shakes hands for each event that it sends before its first handshake is done: hundreds, then none for hours. */
const HANDSHAKES = { atOnce: 1_024, perSecond: 16 };
/** Memory of a waiting frame beside its payload, about. */
const FRAME_BYTES = 1_024;
/** Turns of the event loop. */
const MAX_SETTLING_TURNS = 1_000;
const DEFAULT_WAITING_EVENTS = 16_384;

interface Question {
  readonly kind: QuestionKind;
  readonly open: OpenSession;
  readonly askedAt: number;
  /** Ends the wait for the answer. */
  readonly cancel: () => void;
}

/**
 * One client's authenticated connection: BRC-103 over socket.io.
 *
 * Whose it is, is proven once for each connection, so that frames captured from another one are of no use: either the
 * client shakes hands here and signs with a nonce that it gets, or, when it comes back with a session from before, it
 * answers a fresh challenge (an initialRequest of ours). Until then its events are held back, and nothing is sent. Once
 * it is proven, frames under any authentic nonce of the same identity are taken.
 *
 * Everything that is sent goes through a `PacedOutbox`, so that the client is never given more at once than it bears, and is signed
 * when it leaves, under a session that the client knows (`SocketSessions`).
 */
export class AuthSocket {
  readonly #parts: AuthSocketParts;
  /** Whose frames are taken: of the first authentic one. */
  #identityKey: string | undefined;
  #isProven = false;
  #question: Question | undefined;
  readonly #sessions: SocketSessions;
  readonly #outbox: PacedOutbox;
  readonly #handshakes: TokenBucket;
  readonly #unproven: UnprovenEvents;
  readonly #frameBound: ReturnType<typeof boundFrames>;
  readonly #framePace: FramePace;
  readonly #portions: FramePortions;
  readonly #inbox: FrameInbox;
  #frameMemory: MemoryAccount | undefined;
  #refusals = 0;
  #buffered = 0;
  #cancelRefresh: () => void = () => undefined;
  readonly #cancelDeadline: () => void;
  readonly #noteDrain = () => {
    this.#buffered = 0;
  };

  constructor(
    private readonly socket: Socket,
    parts: AuthSocketParts,
  ) {
    this.#parts = parts;
    const { limits, clock } = parts;
    this.#sessions = new SocketSessions(limits.framesPerSession);
    const waiting = { frames: limits.waitingEvents ?? DEFAULT_WAITING_EVENTS, bytes: limits.bufferedBytes };
    const isTransportIdle = () => socket.conn.transport.writable && writeBufferOf(socket).length === 0;
    this.#outbox = new PacedOutbox(waiting, parts.turns, (kind) => this.#ask(kind), isTransportIdle);
    this.#handshakes = new TokenBucket(HANDSHAKES.atOnce, HANDSHAKES.perSecond, () => clock.now());
    this.#unproven = new UnprovenEvents(parts.unprovenMemory.open(), limits.payloadBytes);
    const { schedule } = parts;
    const ownSchedule: Schedule | undefined = schedule === undefined ? undefined : (work) => schedule(this, work);
    this.#inbox = new FrameInbox(socket.conn, ownSchedule, () => this.#giveUp('overloaded'));
    this.#portions = new FramePortions(socket.conn, async (portion) => {
      await schedule?.(this, () => undefined, portion).catch(() => this.#giveUp('overloaded'));
    });
    this.#framePace = new FramePace(clock, () => this.#giveUp('frame_too_slow'));
    this.#frameBound = boundFrames(socket.conn, {
      maxFrameBytes: limits.frameBytes,
      receiving: (bytes) => this.#receiving(bytes),
    });
    this.#cancelDeadline = clock.after(limits.proveWithinMs, () => this.disconnect());
    socket.conn.on('drain', this.#noteDrain);
    socket.onAny((name: string, ...args: unknown[]) => this.#receive(name, args));
    // A protocol violation (`error` without a listener would end the process); engine.io closes the connection itself.
    socket.on('error', () => undefined);
    socket.on('disconnect', (reason) => this.#close(reason));
  }

  get id(): string {
    return this.socket.id;
  }

  /** Namespace of the socket, such as `/`. */
  get namespace(): string {
    return this.socket.nsp.name;
  }

  /** Whose socket this is, 66 lower-case hex characters; undefined until it is proven. */
  get identityKey(): string | undefined {
    return this.#isProven ? this.#identityKey : undefined;
  }

  get connected(): boolean {
    return this.socket.connected;
  }

  /** Bytes that wait for the client to keep up, or for the transport to take them. */
  get bufferedBytes(): number {
    return this.#buffered + this.#outbox.waitingBytes;
  }

  /**
   * Sends a signed event to this client: now, or as soon as the client keeps up with what it was sent before.
   *
   * @param sent called when it was handed to the transport
   * @returns false when it is not sent: before the identity is proven, after the end, to a client that is too slow, or an
   * event that clients don't take
   */
  emit(eventName: string, data: unknown, sent?: () => void): boolean {
    return this.#isProven && this.socket.connected && this.emitEncoded(new EncodedEvent(eventName, data), sent);
  }

  /** The same for an event that goes to several clients. */
  emitEncoded(event: EncodedEvent, sent?: () => void): boolean {
    if (!this.#isProven || !this.socket.connected) return false;
    if (event.problem !== undefined) return this.#undelivered(event.problem);
    const { length } = event.payload;
    const hasRoom =
      this.bufferedBytes + length <= this.#parts.limits.bufferedBytes &&
      this.#outbox.sendEvent(length, () => {
        if (this.#sign(event)) sent?.();
      });
    return hasRoom || this.#giveUp('too_slow');
  }

  /** The engine.io connection, by which it is told where a socket comes from. */
  get connection(): Socket['conn'] {
    return this.socket.conn;
  }

  /**
   * Resolves when nothing of this socket only waits for this process any more: no frame that has come, no event that goes
   * out. A client that goes on sending is not waited for again and again.
   */
  async settled(): Promise<void> {
    for (let turn = 0; turn < MAX_SETTLING_TURNS; turn++) {
      if (this.#inbox.isEmpty && !this.#outbox.isWaitingForTurn) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Closes the connection because too much waits for its client, which comes back and lists. */
  closeSlow(): void {
    this.#giveUp('too_slow');
  }

  join(room: string): void {
    void this.socket.join(room);
  }

  leave(room: string): void {
    void this.socket.leave(room);
  }

  isIn(room: string): boolean {
    return this.socket.rooms.has(room);
  }

  /** The rooms joined, without the one that every socket has for itself. */
  get rooms(): string[] {
    return [...this.socket.rooms].filter((room) => room !== this.socket.id);
  }

  /** Ends the connection for good: socket.io clients do not come back from this by themselves. */
  disconnect(): void {
    this.#outbox.flushNow();
    this.socket.disconnect(true);
  }

  /** Ends the connection as a network would: clients come back, here or on another instance. */
  closeTransport(): void {
    this.socket.conn.close();
  }

  #receive(name: string, args: unknown[]): void {
    // What came together with the frame that ended the connection is still handed over by socket.io.
    if (!this.socket.connected) return;
    this.#refusing(() => {
      if (name !== 'authMessage') {
        throw new AuthFailedError(
          'Events must be signed: this server speaks BRC-103 only (see @bsv/authsocket-client)',
        );
      }
      const frame = parseFrame(args[0], this.#parts.limits.payloadBytes);
      const bytes = FRAME_BYTES + (frame.type === 'general' ? frame.payload.length : 0);
      this.#inbox.push(bytes, () => this.#refusing(() => this.#take(frame)));
    });
  }

  #take(frame: ClientFrame): void {
    if (frame.type === 'initialRequest') this.#shakeHands(frame.message);
    else if (frame.type === 'initialResponse') this.#takeAnswer(frame);
    else this.#takeEvent(frame);
  }

  /** Answers what is wrong with a frame. */
  #refusing(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      this.#refuse(error);
    }
  }

  #shakeHands(message: object): void {
    if (!this.#handshakes.take()) throw new AuthFailedError('Too many handshakes on one connection');
    if (!this.#isProven) this.#unproven.setHandshakes(this.#outbox.waitingAnswers + 1);
    // An immediate refusal is thrown to the caller; a later one is reported when its turn comes.
    let isWaiting = false;
    let failure: unknown;
    this.#outbox.answerHandshake(() => {
      try {
        this.#answerHandshake(message);
      } catch (error) {
        if (isWaiting && error instanceof AuthError) this.#refuse(error);
        else failure = error;
      }
    });
    isWaiting = true;
    if (failure !== undefined) throw failure;
  }

  #answerHandshake(message: object): void {
    const { response, session } = this.#parts.authenticator.answerHandshake(message);
    this.#mustBeSame(session.identityKey);
    this.#sessions.remember(session);
    this.#send(response);
  }

  #takeEvent(frame: GeneralFrame): void {
    const { authenticator, limits, clock } = this.#parts;
    const open = authenticator.openSession(frame.yourNonce, frame.identityKey);
    if (authenticator.age(open) > limits.sessionMaxMs) throw new SessionNotFoundError();
    this.#mustBeSame(open.identityKey);
    authenticator.verifyGeneral(open, frame.nonce, frame.payload, frame.signature);
    const event = parseEvent(frame.payload);
    this.#identityKey ??= open.identityKey;
    const isPresent = this.#sessions.hear(open.nonce, clock.now());
    if (!this.#isProven) {
      if (!isPresent) {
        this.#unproven.hold(event, frame.payload.length);
        this.#outbox.challenge();
        return;
      }
      if (!this.#prove()) return;
    }
    this.#parts.events.event(this, event);
  }

  /**
   * The client's answer to an initialRequest of ours: proof that it holds the key now, and the nonce of the session that
   * its Peer made for it. After a challenge or a refresh we sign for that one: a Peer sends by the session that it last
   * heard under, so frames under the old one would lead it back to the old nonce. A fence's session never signs.
   */
  #takeAnswer(frame: InitialResponseFrame): void {
    const question = this.#question;
    if (question === undefined || frame.yourNonce !== question.open.nonce) return;
    const { kind, open, askedAt, cancel } = question;
    if (frame.identityKey !== open.identityKey) throw new AuthFailedError("The identity key is not the session's");
    this.#parts.authenticator.verifyInitialResponse(open, frame.initialNonce, frame.signature);
    cancel();
    this.#question = undefined;
    this.#outbox.answered();
    if (kind !== 'fence') {
      this.#sessions.renew({ ...open, clientNonce: frame.initialNonce }, askedAt);
      this.#scheduleRefresh(open);
    }
    if (kind === 'refresh') this.#outbox.sendFirst(() => this.#sign(new EncodedEvent(SESSION_REFRESHED, {})));
    if (!this.#isProven) this.#prove();
    this.#outbox.resume();
  }

  /** @returns false when there is no room for so much of a frame that is still coming */
  #receiving(bytes: number): boolean {
    this.#framePace.receiving(bytes);
    if (!this.#isProven) return this.#unproven.receiving(bytes);
    this.#portions.receiving(bytes);
    return this.#frameMemory?.resize(bytes) ?? true;
  }

  /** @returns whether the client is welcome */
  #prove(): boolean {
    this.#isProven = true;
    this.#cancelDeadline();
    this.#frameMemory = this.#parts.openFrameMemory?.(this.#identityKey as string, () => this.#frameBound.abort());
    const held = this.#unproven.release();
    if (this.#sessions.signing !== undefined) this.#scheduleRefresh(this.#sessions.signing);
    this.#outbox.prove();
    if (!this.#parts.events.proven(this)) return false;
    for (const event of held) this.#parts.events.event(this, event);
    return true;
  }

  #mustBeSame(identityKey: string): void {
    if (this.#identityKey !== undefined && this.#identityKey !== identityKey) {
      throw new AuthFailedError('This connection belongs to another identity');
    }
  }

  /** Sends an initialRequest with a fresh nonce for this client. */
  #ask(kind: QuestionKind): void {
    const { authenticator, clock } = this.#parts;
    const open = authenticator.mintSession(this.#identityKey as string);
    const cancel = clock.after(ANSWER_WITHIN_MS, () => this.#giveUp('no_answer'));
    this.#question = { kind, open, askedAt: clock.now(), cancel };
    this.#send(initialRequest(authenticator.identityKey, open.nonce));
  }

  /** @returns false when no session can sign it any more, and the connection is closed */
  #sign(event: EncodedEvent): boolean {
    const { authenticator, clock } = this.#parts;
    const session = this.#sessions.signNext(clock.now());
    if (session === undefined) return this.#giveUp('session_forgotten');
    const { payload } = event;
    // JSON turns a byte into two to four characters.
    this.#buffered += payload.length * 4;
    const signed = authenticator.signGeneral(session, event.hash());
    this.#write(generalPacket(this.namespace, authenticator.identityKey, session.clientNonce, event, signed));
    if (this.#sessions.isWorn) this.#outbox.refresh();
    return true;
  }

  /** Hands an encoded packet to the transport, as socket.io's adapters do with broadcasts. */
  #write({ text, websocketFrame }: EncodedPacket): void {
    if (this.socket.conn.readyState !== 'open') return;
    const client = this.socket.client as unknown as { writeToEngine(packets: string[], options: object): void };
    client.writeToEngine([text], { wsPreEncodedFrame: websocketFrame });
  }

  #send(frame: ServerFrame): void {
    this.socket.emit('authMessage', frame);
  }

  /**
   * A socket's Peer never shakes hands again by itself, and forgets sessions that are idle: so the session is renewed long
   * before, and at half of its life at the latest.
   */
  #scheduleRefresh(session: OpenSession): void {
    const { authenticator, clock } = this.#parts;
    const due = Math.min(REFRESH_MS, authenticator.sessionLifeMs / 2) - authenticator.age(session);
    this.#cancelRefresh();
    this.#cancelRefresh = clock.after(Math.max(due, 0), () => this.#outbox.refresh());
  }

  #undelivered(problem: DeliveryProblem): false {
    this.#parts.events.undelivered(this, problem);
    return false;
  }

  /** Closes the connection so that the client comes back, and lists what it has missed. */
  #giveUp(problem: DeliveryProblem): false {
    if (this.socket.connected) {
      this.#undelivered(problem);
      this.#outbox.close();
      this.#inbox.close();
      if (problem === 'frame_too_slow') this.#frameBound.abort();
      else this.closeTransport();
    }
    return false;
  }

  #refuse(error: AuthError): void {
    this.#refusals += 1;
    this.#parts.events.refused(this, error);
    if (this.#refusals > MAX_REFUSALS) {
      this.disconnect();
      return;
    }
    // Unsigned, since nobody has shown who would verify it; a Peer ignores it, a plain socket.io client reads it.
    this.socket.emit('authenticationFailed', { reason: error.message });
  }

  #close(reason: string): void {
    this.#cancelDeadline();
    this.#cancelRefresh();
    this.#question?.cancel();
    this.#outbox.close();
    this.#inbox.close();
    this.#unproven.release();
    this.#framePace.stop();
    this.#frameBound.release();
    this.#portions.close();
    this.#frameMemory?.close();
    this.socket.conn.off('drain', this.#noteDrain);
    // Who has left its last namespace is of no use any more, and nothing here would ever end its connection.
    if (namespacesOf(this.socket) === 0) this.closeTransport();
    this.#parts.events.closed(this, reason);
  }
}

/** Packets that engine.io keeps until the transport can take them. */
function writeBufferOf(socket: Socket): readonly unknown[] {
  return (socket.conn as unknown as { writeBuffer: readonly unknown[] }).writeBuffer;
}

/** How many namespaces the connection of a socket is in. */
function namespacesOf(socket: Socket): number {
  return (socket.client as unknown as { sockets: ReadonlyMap<string, Socket> }).sockets.size;
}
