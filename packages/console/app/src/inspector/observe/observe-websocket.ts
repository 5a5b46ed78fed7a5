import { guard } from './guard.js';
import { MAX_PACKET_CHARACTERS, type SeenPacket, type SocketNotice, type TrafficSink } from './traffic.js';

/** The part of a websocket that is observed. */
interface ObservableSocket {
  readonly url: string;
  send: (data: never) => void;
  addEventListener(type: string, listener: (event: SocketEvent) => void): void;
}

/** The fields of the events of a websocket that are read. */
interface SocketEvent {
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

type SocketConstructor = new (...args: never[]) => object;

/**
 * Wraps the constructor `WebSocket`: sockets behave as before, and `instanceof` and the constants still work. What is sent
 * and received is recorded, and so are opening and closing.
 */
export function observeWebSocket<T extends SocketConstructor>(original: T, sink: TrafficSink): T {
  return new Proxy(original, {
    construct(target, args: unknown[], newTarget) {
      const socket: object = Reflect.construct(target, args, newTarget);
      guard(() => watch(socket as ObservableSocket, sink));
      return socket;
    },
  });
}

function watch(socket: ObservableSocket, sink: TrafficSink): void {
  const number = sink.nextId();
  const report = (state: SocketNotice['state'], detail = '') =>
    sink.add({ kind: 'socket', id: sink.nextId(), at: Date.now(), socket: number, url: socket.url, state, detail });
  const record = (direction: SeenPacket['direction'], data: unknown) =>
    sink.add(createSeenPacket({ sink, direction, transport: 'websocket', socket: number, url: socket.url, data }));

  report('opening');
  socket.addEventListener('open', () => guard(() => report('opened')));
  socket.addEventListener('error', () => guard(() => report('failed')));
  socket.addEventListener('close', ({ code, reason }) =>
    guard(() => report('closed', [code, reason].filter(Boolean).join(' '))),
  );
  socket.addEventListener('message', ({ data }) => guard(() => record('received', data)));

  const send = socket.send;
  Object.defineProperty(socket, 'send', {
    configurable: true,
    writable: true,
    value(data: never) {
      guard(() => record('sent', data));
      Reflect.apply(send, socket, [data]);
    },
  });
}

/** Makes the record of one packet. */
export function createSeenPacket(
  given: Pick<SeenPacket, 'direction' | 'socket' | 'transport' | 'url'> & {
    readonly sink: TrafficSink;
    readonly data: unknown;
    readonly carrier?: SeenPacket['carrier'];
  },
): SeenPacket {
  const { sink, data, direction, socket, transport, url, carrier } = given;
  const text = typeof data === 'string' ? data : '';
  return {
    kind: 'packet',
    id: sink.nextId(),
    at: Date.now(),
    direction,
    transport,
    socket,
    url,
    text: text.slice(0, MAX_PACKET_CHARACTERS),
    totalLength: typeof data === 'string' ? data.length : countBytes(data),
    carrier,
  };
}

function countBytes(data: unknown): number {
  const { byteLength, size } = data as { byteLength?: number; size?: number };
  return byteLength ?? size ?? 0;
}
