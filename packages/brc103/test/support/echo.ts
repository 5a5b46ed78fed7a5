import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuthSocketClient } from '@bsv/authsocket-client';
import { CompletedProtoWallet, PrivateKey, type SessionManager, type WalletInterface } from '@bsv/sdk';
import { Server } from 'socket.io';
import { io as connect, type Socket as PlainSocket } from 'socket.io-client';
import {
  type Authenticator,
  type AuthSocket,
  AuthSocketServer,
  type AuthSocketServerOptions,
  createAuthenticator,
  type DeliveryProblem,
  loadCurve,
} from '../../src/index.js';

const serverKey = new Uint8Array(32).fill(7);
/** What a socket without a proven identity has for itself, before it asks for a part of what all share. */
export const OWN_BYTES = 20_000;

export type EchoOptions = Pick<
  AuthSocketServerOptions,
  'maxPerIdentity' | 'admitUnproven' | 'owedBytes' | 'schedule' | 'clock' | 'unprovenBytes'
> & {
  readonly proveWithinMs?: number;
  readonly sessionMaxMs?: number;
  readonly bufferedBytes?: number;
  readonly waitingEvents?: number;
  readonly framesPerSession?: number;
};

/** A server with an echo: whatever event comes is sent back as `echo`, and `join` joins a room. */
export class Echo {
  readonly http: HttpServer;
  readonly io: Server;
  readonly sockets: AuthSocketServer;
  readonly refusals: string[] = [];
  readonly seen: { from: string | undefined; eventName: string; data: unknown }[] = [];
  readonly closed: string[] = [];
  readonly opened: AuthSocket[] = [];
  readonly delivered: string[] = [];
  readonly undelivered: DeliveryProblem[] = [];
  url = '';
  #waiting: (() => void)[] = [];

  constructor(authenticator: Authenticator, options: EchoOptions = {}) {
    const { proveWithinMs, sessionMaxMs, bufferedBytes, waitingEvents, framesPerSession, ...server } = options;
    this.http = createServer();
    this.io = new Server(this.http, { maxHttpBufferSize: OWN_BYTES, serveClient: false });
    this.sockets = new AuthSocketServer({
      unprovenBytes: { each: OWN_BYTES, shared: 4_000_000 },
      ...server,
      io: this.io,
      authenticator,
      limits: {
        sessionMaxMs: sessionMaxMs ?? 600_000,
        proveWithinMs: proveWithinMs ?? 60_000,
        payloadBytes: 300_000,
        frameBytes: 1_000_000,
        bufferedBytes: bufferedBytes ?? 10_000_000,
        ...(waitingEvents === undefined ? {} : { waitingEvents }),
        ...(framesPerSession === undefined ? {} : { framesPerSession }),
      },
      handlers: {
        opened: (socket) => this.#note(() => this.opened.push(socket)),
        event: (socket, { eventName, data }) => this.#event(socket, eventName, data),
        refused: (_socket, error) => this.#note(() => this.refusals.push(error.message)),
        delivered: (_socket, event) => this.#note(() => this.delivered.push(event)),
        undelivered: (_socket, problem) => this.#note(() => this.undelivered.push(problem)),
        closed: (_socket, reason) => this.#note(() => this.closed.push(reason)),
      },
    });
  }

  #event(socket: AuthSocket, eventName: string, data: unknown): void {
    if (eventName === 'join') socket.join(String(data));
    this.#note(() => this.seen.push({ from: socket.identityKey, eventName, data }));
    socket.emit('echo', { eventName, data });
  }

  #note(what: () => void): void {
    what();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves once the condition holds, looked at after everything that happens. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.http.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.io.engine.close();
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }
}

const closers: (() => unknown)[] = [];

/** Runs at the end of the test, last ones first. */
export function atEnd(close: () => unknown): void {
  closers.push(close);
}

/** To be called after each test: nothing of it stays open. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export const authenticator = (options: { now?: () => number; sessionLifeMs?: number; key?: Uint8Array } = {}) =>
  createAuthenticator({ privateKey: options.key ?? serverKey, curve: loadCurve(), ...options });

export async function echo(...args: ConstructorParameters<typeof Echo>): Promise<Echo> {
  const server = await new Echo(...args).listen();
  atEnd(() => server.close());
  return server;
}

export interface Client {
  socket: ReturnType<typeof AuthSocketClient>;
  key: string;
  /** The next time that this event comes. */
  next(event: string): Promise<unknown>;
}

export async function client(
  url: string,
  options: { wallet?: WalletInterface; transports?: string[]; sessionManager?: SessionManager } = {},
): Promise<Client> {
  const wallet = options.wallet ?? new CompletedProtoWallet(PrivateKey.fromRandom());
  const socket = AuthSocketClient(url, {
    wallet,
    ...(options.sessionManager && { sessionManager: options.sessionManager }),
    managerOptions: {
      reconnectionDelay: 10,
      reconnectionDelayMax: 50,
      ...(options.transports && { transports: options.transports }),
    },
  });
  atEnd(() => socket.disconnect());
  const { publicKey: key } = await wallet.getPublicKey({ identityKey: true });
  return { socket, key, next: (event) => new Promise((resolve) => socket.on(event, resolve)) };
}

/** A socket.io client that sees raw frames and sends whatever it likes. */
export async function plain(url: string, transports = ['websocket']): Promise<PlainSocket> {
  const socket = connect(url, { transports, forceNew: true, reconnection: false });
  atEnd(() => socket.disconnect());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

export const once = (socket: PlainSocket, event: string) =>
  new Promise<unknown>((resolve) => socket.once(event, resolve));
