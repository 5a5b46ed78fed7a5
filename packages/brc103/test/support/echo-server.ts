import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuthSocketClient } from '@bsv/authsocket-client';
import { CompletedProtoWallet, PrivateKey, type SessionManager, type WalletInterface } from '@bsv/sdk';
import { Server } from 'socket.io';
import { io as connect, type Socket as PlainSocket } from 'socket.io-client';
import { type Authenticator, type AuthenticatorOptions, createAuthenticator, loadCurve } from '../../src/index.js';
import {
  type AuthSocket,
  AuthSocketServer,
  type AuthSocketServerOptions,
  type DeliveryProblem,
} from '../../src/socket-io.js';

const SERVER_PRIVATE_KEY = new Uint8Array(32).fill(7);
/** The memory that each socket without a proven identity has, in addition to the shared memory. */
export const FREE_BYTES_PER_SOCKET = 20_000;

export type EchoServerOptions = Partial<
  Omit<AuthSocketServerOptions, 'io' | 'authenticator' | 'limits' | 'handlers'>
> & {
  readonly authTimeoutMs?: number;
  readonly maxSessionAgeMs?: number;
  readonly maxBufferedBytes?: number;
  readonly maxQueuedEvents?: number;
  readonly maxFramesPerSession?: number;
};

/** A server that sends each event back as `echo`. The event `join` joins a room. */
export class EchoServer {
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

  constructor(authenticator: Authenticator, options: EchoServerOptions = {}) {
    const { authTimeoutMs, maxSessionAgeMs, maxBufferedBytes, maxQueuedEvents, maxFramesPerSession, ...server } =
      options;
    this.http = createServer();
    this.io = new Server(this.http, { maxHttpBufferSize: FREE_BYTES_PER_SOCKET, serveClient: false });
    this.sockets = new AuthSocketServer({
      unprovenMemory: { each: FREE_BYTES_PER_SOCKET, shared: 4_000_000 },
      ...server,
      io: this.io,
      authenticator,
      limits: {
        maxSessionAgeMs: maxSessionAgeMs ?? 600_000,
        authTimeoutMs: authTimeoutMs ?? 60_000,
        maxPayloadBytes: 300_000,
        maxFrameBytes: 1_000_000,
        maxBufferedBytes: maxBufferedBytes ?? 10_000_000,
        ...(maxQueuedEvents === undefined ? {} : { maxQueuedEvents }),
        ...(maxFramesPerSession === undefined ? {} : { maxFramesPerSession }),
      },
      handlers: {
        onOpen: (socket) => this.#record(() => this.opened.push(socket)),
        onEvent: (socket, { eventName, data }) => this.#event(socket, eventName, data),
        onRefused: (_socket, error) => this.#record(() => this.refusals.push(error.message)),
        onDelivered: (_socket, event) => this.#record(() => this.delivered.push(event)),
        onUndelivered: (_socket, problem) => this.#record(() => this.undelivered.push(problem)),
        onClose: (_socket, reason) => this.#record(() => this.closed.push(reason)),
      },
    });
  }

  #event(socket: AuthSocket, eventName: string, data: unknown): void {
    if (eventName === 'join') socket.join(String(data));
    this.#record(() => this.seen.push({ from: socket.identityKey, eventName, data }));
    socket.emit('echo', { eventName, data });
  }

  #record(add: () => void): void {
    add();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves when the condition holds. It is checked after each callback. */
  async waitFor(condition: () => boolean): Promise<void> {
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

const closeHooks: (() => unknown)[] = [];

/** Registers a function that runs at the end of the test, in reverse order. */
export function closeAfterTest(close: () => unknown): void {
  closeHooks.push(close);
}

/** Closes everything that the test has opened. To be called after each test. */
export async function closeAll(): Promise<void> {
  for (const close of closeHooks.splice(0).reverse()) await close();
}

export const createTestAuthenticator = (options: Partial<AuthenticatorOptions> = {}) =>
  createAuthenticator({ privateKey: SERVER_PRIVATE_KEY, curve: loadCurve(), ...options });

export async function startEchoServer(...args: ConstructorParameters<typeof EchoServer>): Promise<EchoServer> {
  const server = await new EchoServer(...args).listen();
  closeAfterTest(() => server.close());
  return server;
}

export interface Client {
  socket: ReturnType<typeof AuthSocketClient>;
  key: string;
  /** Resolves with the data of the next event with this name. */
  waitForNext(event: string): Promise<unknown>;
}

export async function connectClient(
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
  closeAfterTest(() => socket.disconnect());
  const { publicKey: key } = await wallet.getPublicKey({ identityKey: true });
  return { socket, key, waitForNext: (event) => new Promise((resolve) => socket.on(event, resolve)) };
}

/** A socket.io client that receives raw frames and can send any packet. */
export async function connectPlainSocket(url: string, transports = ['websocket']): Promise<PlainSocket> {
  const socket = connect(url, { transports, forceNew: true, reconnection: false });
  closeAfterTest(() => socket.disconnect());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

export const waitForEvent = (socket: PlainSocket, event: string) =>
  new Promise<unknown>((resolve) => socket.once(event, resolve));
