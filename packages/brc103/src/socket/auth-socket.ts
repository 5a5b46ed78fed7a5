import type { Socket } from 'socket.io';
import type { Authenticator, OpenSession, Session } from '../authenticator.js';
import { AuthError, AuthFailedError, MalformedAuthError, SessionNotFoundError } from '../errors.js';
import { boundFrames } from './frame-bound.js';
import {
  encodeEvent,
  type GeneralFrame,
  type InitialResponseFrame,
  parseEvent,
  parseFrame,
  type SocketEvent,
} from './frames.js';

export interface AuthSocketLimits {
  /** How long an authentic session nonce is taken on a socket, past its life over HTTP. Milliseconds. */
  readonly sessionMaxMs: number;
  /** A socket that has proven no identity by then is ended. Milliseconds. */
  readonly proveWithinMs: number;
  /** Payload bytes of one signed event. */
  readonly payloadBytes: number;
  /** Frame bytes before the identity is proven, and after. */
  readonly frameBytesUnproven: number;
  readonly frameBytes: number;
  /** Bytes that may wait for a slow client; above it its connection is closed, and it comes back for more. */
  readonly bufferedBytes: number;
}

export interface AuthSocketEvents {
  /** The client has proven its identity on this very connection. Return false to refuse it. */
  proven(socket: AuthSocket): boolean;
  /** A verified event of the proven identity, in the order of sending. */
  event(socket: AuthSocket, event: SocketEvent): void;
  /** A frame or an event was refused, and had no effect. */
  refused(socket: AuthSocket, error: AuthError): void;
  closed(socket: AuthSocket, reason: string): void;
}

/** Handshakes of one connection that are remembered as proof of presence. A client needs one. */
const HANDSHAKES_REMEMBERED = 8;
/** Events that may wait while a client that came back proves that it is itself. */
const HELD_EVENTS = 256;
/** Refusals after which a connection is not worth keeping. */
const MAX_REFUSALS = 32;

/**
 * One client's authenticated connection: BRC-103 over socket.io.
 *
 * Whose it is, is proven once for each connection, so that frames captured from another one are of no use: either the
 * client shakes hands here and signs with the nonce that it gets, or, when it comes back with a session from before,
 * it answers a fresh challenge (an initialRequest of ours). Until then its events are held back, and nothing is sent.
 */
export class AuthSocket {
  /** Whose connection this is, as the first authentic nonce says; nothing is done for it before it is proven. */
  #claimedKey: string | undefined;
  /** The session that events are signed under. */
  #session: Session | undefined;
  #proven = false;
  /** The nonce of an initialRequest of ours that waits for its answer. */
  #renewal: OpenSession | undefined;
  readonly #mintedHere = new Map<string, Session>();
  #held: SocketEvent[] = [];
  #heldBytes = 0;
  #refusals = 0;
  #buffered = 0;
  #refresh: NodeJS.Timeout | undefined;
  readonly #deadline: NodeJS.Timeout;
  readonly #frameBound: ReturnType<typeof boundFrames>;
  readonly #noteDrain = () => {
    this.#buffered = 0;
  };

  constructor(
    private readonly socket: Socket,
    private readonly authenticator: Authenticator,
    private readonly limits: AuthSocketLimits,
    private readonly events: AuthSocketEvents,
  ) {
    this.#frameBound = boundFrames(socket.conn, limits.frameBytesUnproven, limits.frameBytes);
    this.#deadline = setTimeout(() => this.disconnect(), limits.proveWithinMs);
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
    return this.#proven ? this.#claimedKey : undefined;
  }

  get connected(): boolean {
    return this.socket.connected;
  }

  /** Bytes handed to the transport that it has not taken yet. */
  get bufferedBytes(): number {
    return this.#buffered;
  }

  /**
   * Signs an event for this client and sends it.
   *
   * @returns false when nothing was sent: before the identity is proven, after the end, or to a client that is too slow
   */
  emit(eventName: string, data: unknown): boolean {
    if (!this.#proven || this.#session === undefined || !this.socket.connected) return false;
    const payload = encodeEvent(eventName, data);
    if (this.#buffered + payload.length > this.limits.bufferedBytes) {
      this.closeTransport();
      return false;
    }
    // JSON turns a byte into two to four characters.
    this.#buffered += payload.length * 4;
    const { nonce, signature } = this.authenticator.signGeneral(this.#session, payload);
    this.socket.emit('authMessage', {
      version: '0.1',
      messageType: 'general',
      identityKey: this.authenticator.identityKey,
      nonce,
      yourNonce: this.#session.clientNonce,
      payload: Array.from(payload),
      signature: Array.from(signature),
    });
    return true;
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
    this.socket.disconnect(true);
  }

  /** Ends the connection as a network would: clients come back, here or on another instance. */
  closeTransport(): void {
    this.socket.conn.close();
  }

  #receive(name: string, args: unknown[]): void {
    // What came together with the frame that ended the connection is still handed over by socket.io.
    if (!this.socket.connected) return;
    try {
      if (name !== 'authMessage') {
        throw new AuthFailedError(
          'Events must be signed: this server speaks BRC-103 only (see @bsv/authsocket-client)',
        );
      }
      const frame = parseFrame(args[0], this.limits.payloadBytes);
      if (frame.type === 'initialRequest') this.#shakeHands(frame.message);
      else if (frame.type === 'initialResponse') this.#takeProof(frame);
      else this.#takeEvent(frame);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      this.#refuse(error);
    }
  }

  #shakeHands(message: object): void {
    if (this.#mintedHere.size >= HANDSHAKES_REMEMBERED)
      throw new AuthFailedError('Too many handshakes on one connection');
    const { response, session } = this.authenticator.answerHandshake(message);
    this.#mustBeSame(session.identityKey);
    this.#mintedHere.set(session.nonce, session);
    this.socket.emit('authMessage', response);
  }

  #takeEvent(frame: GeneralFrame): void {
    const session = this.authenticator.openSession(frame.yourNonce, frame.identityKey);
    if (this.authenticator.age(session) > this.limits.sessionMaxMs) throw new SessionNotFoundError();
    this.#mustBeSame(session.identityKey);
    this.authenticator.verifyGeneral(session, frame.nonce, frame.payload, frame.signature);
    const event = parseEvent(frame.payload);
    this.#claimedKey = session.identityKey;
    const known = this.#mintedHere.get(session.nonce);
    if (known !== undefined && !(this.#session !== undefined && this.#session.issuedAt >= known.issuedAt)) {
      this.#session = known;
    }
    if (!this.#proven) {
      if (known === undefined) {
        this.#hold(event, frame.payload.length);
        this.#renewal ??= this.#requestProof(session.identityKey);
        return;
      }
      if (!this.#prove()) return;
    }
    this.events.event(this, event);
  }

  /**
   * The client's answer to an initialRequest of ours: proof that it holds the key now, and the nonce of the session that
   * its Peer made for it. From here on we sign for that one: a Peer sends by the session that it last heard under, so
   * frames under the old one would lead it back to the old nonce.
   */
  #takeProof(frame: InitialResponseFrame): void {
    const renewal = this.#renewal;
    if (renewal === undefined || frame.yourNonce !== renewal.nonce) return;
    if (frame.identityKey !== renewal.identityKey) throw new AuthFailedError("The identity key is not the session's");
    this.authenticator.verifyInitialResponse(renewal, frame.initialNonce, frame.signature);
    this.#renewal = undefined;
    this.#session = { ...renewal, clientNonce: frame.initialNonce };
    if (this.#proven || !this.#prove()) return;
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.events.event(this, event);
  }

  #prove(): boolean {
    this.#proven = true;
    clearTimeout(this.#deadline);
    this.#frameBound.lift();
    this.#scheduleRefresh(this.#session as Session);
    return this.events.proven(this);
  }

  #hold(event: SocketEvent, bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#held.length >= HELD_EVENTS || this.#heldBytes > this.limits.payloadBytes) {
      throw new MalformedAuthError('Too much was sent before the identity was proven');
    }
    this.#held.push(event);
  }

  #mustBeSame(identityKey: string): void {
    if (this.#claimedKey !== undefined && this.#claimedKey !== identityKey) {
      throw new AuthFailedError('This connection belongs to another identity');
    }
  }

  /** Sends an initialRequest with a fresh nonce for the same client: a challenge, and a new lease of life, in one. */
  #requestProof(identityKey: string): OpenSession {
    const fresh = this.authenticator.mintSession(identityKey);
    this.socket.emit('authMessage', {
      version: '0.1',
      messageType: 'initialRequest',
      identityKey: this.authenticator.identityKey,
      initialNonce: fresh.nonce,
      requestedCertificates: { certifiers: [], types: {} },
    });
    return fresh;
  }

  /** A socket's Peer never shakes hands again by itself, so its nonce is renewed at half of the session's life. */
  #scheduleRefresh(session: OpenSession): void {
    const due = this.authenticator.sessionLifeMs / 2 - this.authenticator.age(session);
    this.#refresh = setTimeout(
      () => {
        this.#renewal = this.#requestProof(session.identityKey);
        this.#scheduleRefresh(this.#renewal);
      },
      Math.max(due, 0),
    );
  }

  #refuse(error: AuthError): void {
    this.#refusals += 1;
    this.events.refused(this, error);
    if (this.#refusals > MAX_REFUSALS) {
      this.disconnect();
      return;
    }
    // Unsigned, since nobody has shown who would verify it; a Peer ignores it, a plain socket.io client reads it.
    this.socket.emit('authenticationFailed', { reason: error.message });
  }

  #close(reason: string): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#refresh);
    this.#held = [];
    this.#frameBound.release();
    this.socket.conn.off('drain', this.#noteDrain);
    // Who has left its last namespace is of no use any more, and nothing here would ever end its connection.
    if (namespacesOf(this.socket) === 0) this.closeTransport();
    this.events.closed(this, reason);
  }
}

/** How many namespaces the connection of a socket is in. */
function namespacesOf(socket: Socket): number {
  return (socket.client as unknown as { sockets: ReadonlyMap<string, Socket> }).sockets.size;
}
