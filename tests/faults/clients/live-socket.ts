import { type RawClient, Session } from '@messagebox/test-support/raw-client';
import { io, type Socket } from 'socket.io-client';

/** Shorter than socket.io's default of 1 to 5 s, so that the server's part of a recovery is measured, and not the client's. */
const RECONNECT_DELAY_MS = 250;
const MAX_RECONNECT_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

export interface LiveSocketOptions {
  readonly url: string;
  readonly client: RawClient;
  readonly transports: readonly string[];
  /** A connection is authenticated: the first one, and each that replaces a lost one. */
  readonly onReady: (isFirst: boolean) => void;
  readonly onLost: (reason: string) => void;
  readonly onEvent: (eventName: string, data: unknown) => void;
  /** The server did what it must never do. */
  readonly onViolation: (what: string) => void;
}

/** An authenticated socket that comes back by itself, as socket.io's do, with a new handshake for each connection. */
export class LiveSocket {
  readonly #socket: Socket;
  #session: Session | undefined;
  /** Sessions that the server has begun on this connection: it may sign under the newest of them. */
  #refreshed: Session[] = [];
  #isReady = false;
  #wasReady = false;

  constructor(private readonly options: LiveSocketOptions) {
    this.#socket = io(options.url, {
      transports: [...options.transports],
      forceNew: true,
      autoConnect: false,
      timeout: CONNECT_TIMEOUT_MS,
      reconnectionDelay: RECONNECT_DELAY_MS,
      reconnectionDelayMax: MAX_RECONNECT_DELAY_MS,
    });
    this.#socket.on('connect', () => this.#socket.emit('authMessage', options.client.initialRequest()));
    this.#socket.on('disconnect', (reason) => this.#lose(reason));
    this.#socket.on('authMessage', (frame: unknown) => this.#receive(frame));
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  connect(): void {
    this.#socket.connect();
  }

  /** @throws {Error} without a connection */
  emit(eventName: string, data: unknown): void {
    if (this.#session === undefined) throw new Error('there is no connection');
    this.#socket.emit('authMessage', this.#session.event(eventName, data));
  }

  close(): void {
    this.#socket.removeAllListeners();
    this.#socket.disconnect();
  }

  #lose(reason: string): void {
    this.#session = undefined;
    this.#refreshed = [];
    this.#isReady = false;
    this.options.onLost(reason);
    // The server has closed the socket for good, and a client of socket.io does not come back from that by itself.
    if (reason === 'io server disconnect') this.#socket.connect();
  }

  #receive(frame: unknown): void {
    const { messageType, nonce, payload, signature } = frame as {
      messageType: string;
      nonce: string;
      payload: number[];
      signature: number[];
    };
    const { client, onEvent, onReady, onViolation } = this.options;
    if (messageType === 'initialResponse') {
      this.#session = Session.from(client, frame);
      this.emit('authenticated', { identityKey: client.identityKey });
      return;
    }
    if (messageType === 'initialRequest') {
      const { response, session } = client.answerInitialRequest(frame as { identityKey: string; initialNonce: string });
      this.#refreshed.push(session);
      this.#socket.emit('authMessage', response);
      return;
    }
    const bytes = Uint8Array.from(payload);
    const sessions = this.#session === undefined ? [] : [this.#session, ...this.#refreshed];
    if (!sessions.some((session) => session.verifies(nonce, bytes, Uint8Array.from(signature)))) {
      onViolation('an event carries a wrong signature');
      return;
    }
    const { eventName, data } = JSON.parse(Buffer.from(bytes).toString()) as { eventName: string; data: unknown };
    if (eventName !== 'authenticationSuccess') {
      onEvent(eventName, data);
      return;
    }
    const isFirst = !this.#wasReady;
    this.#isReady = true;
    this.#wasReady = true;
    onReady(isFirst);
  }
}
