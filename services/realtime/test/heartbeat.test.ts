import { EventEmitter } from 'node:events';
import { DEFAULT_HEARTBEAT, keepAlive } from '../src/sockets/heartbeat.js';

/** An event of 1 MiB, the largest that clients accept. Each byte is a number of three digits and a comma. */
const LARGEST_PUSH = 4 * 1_048_576;
const KB_64 = 65_536;

test('a client waits 25 % longer than the largest event takes at 64 KB/s', () => {
  const seconds = (DEFAULT_HEARTBEAT.pingInterval + DEFAULT_HEARTBEAT.pingTimeout) / 1_000;
  expect(seconds).toBeGreaterThanOrEqual((LARGEST_PUSH / KB_64) * 1.25);
});

test('checks for bytes often enough for the next ping to arrive before the client gives up', () => {
  expect(DEFAULT_HEARTBEAT.checkInterval * 2).toBeLessThan(DEFAULT_HEARTBEAT.pingTimeout);
});

describe('the packets that engine.io sends at a time', () => {
  interface Packet {
    readonly type: string;
    readonly data?: string;
  }

  /** The members of an engine.io connection that heartbeats use. */
  class Connection extends EventEmitter {
    readonly id = 'id';
    readyState = 'open';
    readonly request = {};
    writeBuffer: Packet[] = [];
    constructor(readonly transport: { readonly name: string }) {
      super();
    }
    sendPacket(type: string, data?: string): void {
      const packet = data === undefined ? { type } : { type, data };
      this.emit('packetCreate', packet);
      this.writeBuffer.push(packet);
    }
    /** @returns the packets that go to the transport */
    flush(): Packet[] {
      this.emit('flush', this.writeBuffer);
      const packets = this.writeBuffer;
      this.writeBuffer = [];
      this.emit('drain');
      return packets;
    }
  }
  function open(transport: string): Connection {
    const engine = Object.assign(new EventEmitter(), { use: () => undefined });
    keepAlive({ engine } as unknown as Parameters<typeof keepAlive>[0], DEFAULT_HEARTBEAT);
    const connection = new Connection({ name: transport });
    Object.assign(connection.request, { socket: { bytesRead: 0 } });
    engine.emit('connection', connection);
    return connection;
  }
  const sizes = (packets: Packet[]) => packets.map(({ type, data }) => (type === 'ping' ? 'ping' : data?.length));

  let connection: Connection;
  afterEach(() => connection.emit('close'));

  test('a long poll gets one large frame alone, and the rest follows in order with a ping before the next large frame', () => {
    connection = open('polling');
    for (const size of [10, 300_000, 20, 400_000, 30]) connection.sendPacket('message', 'x'.repeat(size));
    expect(sizes(connection.flush())).toEqual([10, 'ping']);
    connection.sendPacket('message', 'last');
    expect(sizes(connection.flush())).toEqual([300_000]);
    expect(sizes(connection.flush())).toEqual(['ping', 20, 'ping']);
    expect(sizes(connection.flush())).toEqual([400_000]);
    expect(sizes(connection.flush())).toEqual(['ping', 30, 4]);
    expect(connection.flush()).toEqual([]);
  });

  test('a long poll gets many small frames together', () => {
    connection = open('polling');
    for (let i = 0; i < 1_000; i++) connection.sendPacket('message', 'x'.repeat(100));
    expect(connection.flush()).toHaveLength(1_000);
  });

  test('a long poll gets all frames when the connection is closing', () => {
    connection = open('polling');
    for (let i = 0; i < 3; i++) connection.sendPacket('message', 'x'.repeat(300_000));
    connection.readyState = 'closing';
    expect(connection.flush()).toHaveLength(6);
  });

  test('a long poll gets enough frames that at most 16 MiB are left', () => {
    connection = open('polling');
    for (let i = 0; i < 100; i++) connection.sendPacket('message', 'x'.repeat(300_000));
    connection.flush();
    const left = connection.writeBuffer.reduce((sum, { data = '' }) => sum + data.length, 0);
    expect(left).toBeGreaterThan(16_000_000);
    expect(left).toBeLessThanOrEqual(16_777_216);
  });

  test('a websocket gets all frames at once, with a ping in front of each large frame', () => {
    connection = open('websocket');
    for (const size of [300_000, 100, 300_000]) connection.sendPacket('message', 'x'.repeat(size));
    expect(sizes(connection.flush())).toEqual(['ping', 300_000, 'ping', 100, 'ping', 300_000]);
  });
});
