import { RawClient, Session, sendRaw } from '@messagebox/test-support/raw-client';
import { io, type Socket } from 'socket.io-client';

export const BOX = 'inbox';
const ACK_TIMEOUT_MS = 10_000;
const MAX_CATCH_UP_ATTEMPTS = 5;

/** One connection of a client's socket, from its `connect` to its `disconnect`. Times are `performance.now()`. */
export interface Connection {
  joinedAt: number | undefined;
  lostAt: number | undefined;
  reason: string | undefined;
  /** The pushed messages, with the number of pushes of each. */
  readonly pushed: Map<string, number>;
  /** The messages of the list that was read after joining. */
  caughtUp: ReadonlySet<string> | undefined;
}

/** A time without a joined connection. */
export interface Absence {
  readonly from: number;
  readonly until: number;
  /** The part of it that the client itself waited before its tries. */
  readonly ownDelayMs: number;
}

/** Failures that are nobody's mistake, and must be rare. */
export interface Trouble {
  readonly at: number;
  readonly what: string;
}

/** The reports of the clients of a load. */
export interface Observer {
  trouble(what: string): void;
  /** Failures that must never happen. */
  fault(what: string): void;
}

interface Ack {
  readonly status: string;
  readonly messageId: string;
  readonly code?: string;
}

export interface Listed {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
}

/**
 * An identity with a session over HTTP and a live socket that comes back by itself, as socket.io's does, and then shakes
 * hands, authenticates, joins its box, and lists what came meanwhile.
 */
export class Client {
  readonly key: string;
  readonly connections: Connection[] = [];
  readonly absences: Absence[] = [];
  refusedReconnects = 0;
  readonly #socket: Socket;
  #http: Session | undefined;
  #live: Session | undefined;
  /** Sessions that the server has begun on this connection: it may sign under the newest of them. */
  readonly #refreshed: Session[] = [];
  #authenticated = false;
  #waitingSince: number | undefined;
  #waited = 0;
  readonly #unacknowledged = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  readonly #catchingUp = new Set<Promise<void>>();

  constructor(
    private readonly edge: { readonly url: string; readonly port: number },
    transports: readonly string[],
    private readonly observer: Observer,
    private readonly raw = new RawClient(),
  ) {
    this.key = raw.identityKey;
    this.#socket = io(edge.url, {
      transports: [...transports],
      forceNew: true,
      autoConnect: false,
      reconnectionDelay: 500,
      reconnectionDelayMax: 2_000,
    });
    this.#socket.on('connect', () => this.#connected());
    this.#socket.on('disconnect', (reason) => this.#disconnected(reason));
    this.#socket.on('authMessage', (frame: unknown) => this.#receive(frame));
    this.#socket.on('authenticationFailed', ({ reason }: { reason: string }) =>
      observer.fault(`a socket was not authenticated: ${reason}`),
    );
    const manager = this.#socket.io;
    const waits = () => {
      this.#waitingSince ??= performance.now();
    };
    manager.on('close', waits);
    manager.on('reconnect_error', () => {
      this.refusedReconnects += 1;
      waits();
    });
    manager.on('reconnect_attempt', () => {
      this.#waited += performance.now() - (this.#waitingSince ?? performance.now());
      this.#waitingSince = undefined;
    });
  }

  /** Whether events can be sent. */
  get live(): boolean {
    return this.#authenticated;
  }

  get joined(): boolean {
    const connection = this.connections.at(-1);
    return connection?.caughtUp !== undefined && connection.lostAt === undefined;
  }

  async open(): Promise<void> {
    this.#http = await this.raw.shakeHands(this.edge.port);
    this.#socket.connect();
  }

  async close(): Promise<void> {
    this.#socket.removeAllListeners();
    this.#socket.disconnect();
    await Promise.all(this.#catchingUp);
  }

  /** A signed request. @throws {Error} when it is not answered with 200 and a right signature */
  async post(path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const session = this.#http;
    if (session === undefined) throw new Error('the client is not open');
    const request = session.post(path, body);
    const answer = await sendRaw(this.edge.port, request);
    if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status} ${answer.text}`);
    if (!session.isSigned(request, answer)) this.observer.fault(`an answer to ${path} carries a wrong signature`);
    return JSON.parse(answer.text) as Record<string, unknown>;
  }

  /** All that is in the own box. */
  async list(): Promise<Listed[]> {
    const all: Listed[] = [];
    for (let after: object = {}; ; ) {
      const page = await this.post('/listMessages', { messageBox: BOX, ...after });
      all.push(...(page['messages'] as Listed[]));
      if (page['hasMore'] !== true) return all;
      after = { after: page['next'] };
    }
  }

  /** Sends live; resolves with the ack. @throws {Error} when it says no, does not come, or can come no more */
  async sendLive(recipient: string, messageId: string, body: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#unacknowledged.set(messageId, { resolve, reject });
        timer = setTimeout(() => reject(new Error('no ack came in time')), ACK_TIMEOUT_MS);
        this.#emit('sendMessage', { roomId: `${recipient}-${BOX}`, message: { messageId, recipient, body } });
      });
    } finally {
      clearTimeout(timer);
      this.#unacknowledged.delete(messageId);
    }
  }

  #connected(): void {
    this.connections.push({
      joinedAt: undefined,
      lostAt: undefined,
      reason: undefined,
      pushed: new Map(),
      caughtUp: undefined,
    });
    this.#socket.emit('authMessage', this.raw.initialRequest());
  }

  #disconnected(reason: string): void {
    const lost = new Error(`the connection (${this.#transport}) ended before the ack`);
    const connection = this.connections.at(-1) as Connection;
    connection.lostAt = performance.now();
    connection.reason = reason;
    this.#live = undefined;
    this.#refreshed.length = 0;
    this.#authenticated = false;
    for (const { reject } of this.#unacknowledged.values()) reject(lost);
  }

  get #transport(): string {
    return this.#socket.io.engine?.transport?.name ?? 'none';
  }

  #emit(eventName: string, data: unknown): void {
    if (this.#live === undefined) throw new Error('there is no connection to send an event on');
    this.#socket.emit('authMessage', this.#live.event(eventName, data));
  }

  #receive(frame: unknown): void {
    const { messageType, nonce, payload, signature } = frame as {
      messageType: string;
      nonce: string;
      payload: number[];
      signature: number[];
    };
    if (messageType === 'initialResponse') {
      this.#live = Session.from(this.raw, frame);
      this.#emit('authenticated', { identityKey: this.key });
      this.#emit('joinRoom', `${this.key}-${BOX}`);
      return;
    }
    if (messageType === 'initialRequest') {
      const { response, session } = this.raw.answerInitialRequest(
        frame as { identityKey: string; initialNonce: string },
      );
      this.#refreshed.push(session);
      this.#socket.emit('authMessage', response);
      return;
    }
    const bytes = Uint8Array.from(payload);
    const sessions = this.#live === undefined ? [] : [this.#live, ...this.#refreshed];
    if (!sessions.some((session) => session.verifies(nonce, bytes, Uint8Array.from(signature)))) {
      this.observer.fault('an event carries a wrong signature');
      return;
    }
    const { eventName, data } = JSON.parse(Buffer.from(bytes).toString()) as { eventName: string; data: unknown };
    this.#take(eventName, data);
  }

  #take(eventName: string, data: unknown): void {
    const connection = this.connections.at(-1) as Connection;
    if (eventName === 'authenticationSuccess') this.#authenticated = true;
    else if (eventName === 'joinedRoom') this.#joined(connection);
    else if (eventName === `sendMessage-${this.key}-${BOX}`) {
      const { messageId } = data as { messageId: string };
      connection.pushed.set(messageId, (connection.pushed.get(messageId) ?? 0) + 1);
    } else if (eventName.startsWith('sendMessageAck-')) {
      const { status, messageId, code } = data as Ack;
      const waiting = this.#unacknowledged.get(messageId);
      if (status === 'success') waiting?.resolve();
      else waiting?.reject(new Error(`the ack says ${status} ${code}`));
    } else if (eventName !== 'messageFailed' && eventName !== 'sessionRefreshed')
      this.observer.fault(`unexpected event ${eventName}`);
  }

  #joined(connection: Connection): void {
    const now = performance.now();
    connection.joinedAt = now;
    const before = this.connections.findLast((one) => one !== connection && one.joinedAt !== undefined);
    if (before?.lostAt !== undefined) {
      this.absences.push({ from: before.lostAt, until: now, ownDelayMs: this.#waited });
    }
    this.#waited = 0;
    const work = this.#catchUp(connection);
    this.#catchingUp.add(work);
    void work.finally(() => this.#catchingUp.delete(work));
  }

  async #catchUp(connection: Connection): Promise<void> {
    for (let i = 0; i < MAX_CATCH_UP_ATTEMPTS; i++) {
      try {
        connection.caughtUp = new Set((await this.list()).map(({ messageId }) => messageId));
        return;
      } catch (error) {
        this.observer.trouble(`catching up: ${(error as Error).message}`);
      }
    }
    this.observer.fault(`catching up failed ${MAX_CATCH_UP_ATTEMPTS} times`);
  }
}
