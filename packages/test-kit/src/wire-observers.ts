import type { Socket } from 'socket.io-client';

/** A request of a test's client, and its answer. */
export interface HttpExchange {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  /** Names in lower case. Undefined where the test has written bytes of its own. */
  readonly requestHeaders: Readonly<Record<string, string>> | undefined;
  /** Undefined without a body, and where the test has written bytes of its own. */
  readonly requestBody: Uint8Array | undefined;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A socket.io event of a test's client. */
export interface SocketEvent {
  /** Tells connections apart. */
  readonly socket: object;
  readonly direction: 'sent' | 'received';
  readonly name: string;
  readonly data: unknown;
}

/** Learns what the clients of tests send and receive. It must not throw. */
export interface WireObserver {
  onExchange(exchange: HttpExchange): void;
  onSocketEvent(event: SocketEvent): void;
}

const observers = new Set<WireObserver>();
const observed = new WeakSet<Socket>();

/** Adds an observer, for as long as the modules of a test file live. The clients know nothing of who observes them. */
export function addWireObserver(observer: WireObserver): void {
  observers.add(observer);
}

/** For clients that speak HTTP by themselves. */
export function reportExchange(exchange: HttpExchange): void {
  for (const observer of observers) observer.onExchange(exchange);
}

/** For clients with a connection of socket.io: reports all its events from now on. A second call does nothing. */
export function reportSocket(io: Socket): void {
  if (observers.size === 0 || observed.has(io)) return;
  observed.add(io);
  const report = (direction: SocketEvent['direction']) => (name: string, data: unknown) => {
    for (const observer of observers) observer.onSocketEvent({ socket: io, direction, name, data });
  };
  io.onAny(report('received'));
  io.onAnyOutgoing(report('sent'));
}
