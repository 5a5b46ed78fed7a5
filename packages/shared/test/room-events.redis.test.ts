import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RoomEventPublisher } from '@messagebox/messages';
import { formatRoomName } from '@messagebox/messages';
import { createRedisPrefix, describeWithRedis, getRedisUrl } from '@messagebox/test-support/with-redis';
import { pino } from 'pino';
import { Server } from 'socket.io';
import { io as connect, type Socket } from 'socket.io-client';
import { Metrics } from '../src/metrics/metrics.js';
import { connectRedis } from '../src/redis/redis-clients.js';
import {
  createInProcessRoomEvents,
  createRedisRoomEvents,
  type RoomEventBroker,
} from '../src/room-events/redis-room-events.js';
import { createSocketIoPublisher } from '../src/room-events/socket-io-publisher.js';

const silent = pino({ level: 'silent' });
const recipient = `02${'a'.repeat(64)}`;
const event = (messageId: string, over: { messageBox?: string; body?: string } = {}) => ({
  recipient,
  messageBox: 'inbox',
  sender: `03${'b'.repeat(64)}`,
  messageId,
  body: 'text',
  ...over,
});

/** A process that can have sockets and can publish. */
interface Instance {
  readonly broker: RoomEventBroker;
  readonly io: Server;
  readonly publisher: RoomEventPublisher;
  /** A socket in the room, with the events that it received; `until` waits for a number of events. */
  listener(messageBox?: string): Promise<{ heard: string[]; until(count: number): Promise<void> }>;
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function instance(broker: RoomEventBroker): Promise<Instance> {
  const http: HttpServer = createServer();
  const io = new Server(http, broker.adapter === undefined ? {} : { adapter: broker.adapter });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise<void>((resolve) => void io.close(() => resolve())));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    broker,
    io,
    publisher: createSocketIoPublisher({
      io,
      namespaces: ['/'],
      maxBodyBytes: 1_000,
      log: silent,
      metrics: new Metrics('test', {}),
    }),
    async listener(messageBox = 'inbox') {
      const room = formatRoomName(recipient, messageBox);
      const socket: Socket = connect(url, { transports: ['websocket'], forceNew: true });
      closers.push(() => socket.disconnect());
      const heard: string[] = [];
      let wake = () => undefined as unknown;
      socket.on(`sendMessage-${room}`, (message: { messageId: string }) => {
        heard.push(message.messageId);
        wake();
      });
      const joined = new Promise<void>((resolve) => {
        io.once('connection', (server) => {
          void Promise.resolve(server.join(room))
            .then(() => broker.waitUntilReady('/', room))
            .then(resolve);
        });
      });
      await joined;
      return {
        heard,
        async until(count) {
          while (heard.length < count) await new Promise<unknown>((resolve) => (wake = () => resolve(undefined)));
        },
      };
    },
  };
}

/** The promises of every broker. `create` returns two instances of one deployment, which may be the same one. */
function roomEventSuite(create: () => Promise<[Instance, Instance]>): void {
  let here: Instance;
  let there: Instance;
  beforeEach(async () => {
    [here, there] = await create();
  });

  test('delivers events to the room at both instances, once and in order, after the subscription is ready', async () => {
    const a = await here.listener();
    const b = await there.listener();
    const ids = Array.from({ length: 50 }, (_, i) => `m${i}`);
    for (const id of ids) there.publisher.publish(event(id));
    await Promise.all([a.until(50), b.until(50)]);
    here.publisher.publish(event('last'));
    await Promise.all([a.until(51), b.until(51)]);
    expect(a.heard).toEqual([...ids, 'last']);
    expect(b.heard).toEqual([...ids, 'last']);
  });

  test('delivers nothing to rooms whose names differ only by case, accent or white space', async () => {
    const boxes = ['Inbox', 'inbox', 'ínbox', 'Inbox '];
    const listeners = [];
    for (const box of boxes) listeners.push(await there.listener(box));
    for (const [i, box] of boxes.entries()) {
      here.publisher.publish(event(`${i}`, { messageBox: box }));
    }
    await Promise.all(listeners.map((listener) => listener.until(1)));
    expect(listeners.map((listener) => listener.heard)).toEqual([['0'], ['1'], ['2'], ['3']]);
  });

  test('does not publish an event that is too large, and publishes later ones', async () => {
    const listener = await there.listener();
    here.publisher.publish(event('large', { body: 'x'.repeat(1_001) }));
    here.publisher.publish(event('small'));
    await listener.until(1);
    expect(listener.heard).toEqual(['small']);
  });
}

describe('room events in process', () => {
  roomEventSuite(async () => {
    const only = await instance(createInProcessRoomEvents());
    return [only, only];
  });
});

describeWithRedis('room events through Redis', () => {
  const prefix = createRedisPrefix();
  const overRedis = async (classic: boolean): Promise<Instance> => {
    const clients = await connectRedis(getRedisUrl(), silent);
    closers.push(() => clients.close());
    if (classic) clients.commands.call = (async () => [null]) as typeof clients.commands.call; // as Redis 6 answers COMMAND INFO
    const broker = await createRedisRoomEvents(clients, prefix, silent);
    expect(broker.kind).toBe(classic ? 'redis-classic' : 'redis-sharded');
    return await instance(broker);
  };
  describe('sharded', () => roomEventSuite(async () => [await overRedis(false), await overRedis(false)]));
  describe('classic', () => roomEventSuite(async () => [await overRedis(true), await overRedis(true)]));
});
