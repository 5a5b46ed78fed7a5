import { createHash } from 'node:crypto';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { EncodedEvent } from '../src/socket/encoded-event.ts';
import { type Sender, SendScheduler } from '../src/socket/send-scheduler.ts';
import { SlowClientDetector } from '../src/socket/slow-client-detector.ts';
import { encodeTextFrameHeader } from '../src/socket/websocket-frame.ts';
import { closeAll, connectClient, createTestAuthenticator, startEchoServer } from './support/echo-server.ts';

afterEach(closeAll);

test.each([0, 1, 9, 10, 99, 100, 255])('a payload is written as decimal numbers, such as %i', (byte) => {
  const event = new EncodedEvent('e', { text: String.fromCodePoint(byte + 0x20).repeat(3), byte });
  expect(event.suffixText).toBe(`${Array.from(event.payload).join(',')}]}]`);
  expect(event.suffix.toString()).toBe(event.suffixText);
  expect(event.suffix).toBe(event.suffix);
});

test.each([
  [0, '8100'],
  [125, '817d'],
  [126, '817e007e'],
  [65_535, '817effff'],
  [65_536, '817f0000000000010000'],
  [5_000_000, '817f00000000004c4b40'],
])('a websocket frame of %i bytes begins with %s', (bytes, head) => {
  expect(encodeTextFrameHeader(bytes).toString('hex')).toBe(head);
});

test('each signature of an event covers its whole payload', () => {
  const event = new EncodedEvent('e', 'data');
  const digest = createHash('sha256').update(event.payload).digest('hex');
  expect([event.copyHash().digest('hex'), event.copyHash().digest('hex')]).toEqual([digest, digest]);
});

test.each([['websocket'], ['polling']])(
  'a large broadcast reaches all sockets in order, in time slices, over %s',
  async (transport) => {
    const server = await startEchoServer(createTestAuthenticator());
    const clients = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const one = await connectClient(server.url, { transports: [transport] });
        const joined = one.waitForNext('echo');
        one.socket.emit('join', 'room');
        await joined;
        return one;
      }),
    );
    const heard = clients.map((one) => {
      const names: string[] = [];
      one.socket.on('large', () => names.push('large'));
      one.socket.on('small', () => names.push('small'));
      return names;
    });
    const all = clients.map((one) => one.waitForNext('small'));
    server.io.to('room').emit('large', 'x'.repeat(900_000));
    for (const socket of server.opened) socket.emit('small', 1);
    // Without slices, all of them would be signed before anything else ran.
    expect(server.delivered.length).toBeLessThan(clients.length);
    await Promise.all(all);
    await server.waitFor(() => server.delivered.length === clients.length);
    expect(heard).toEqual(clients.map(() => ['large', 'small']));
    expect(server.undelivered).toEqual([]);
  },
);

test('an event is encoded once for all sockets', async () => {
  const server = await startEchoServer(createTestAuthenticator());
  const wallet = new CompletedProtoWallet(PrivateKey.fromRandom());
  for (let i = 0; i < 3; i++) {
    const one = await connectClient(server.url, { wallet });
    const joined = one.waitForNext('echo');
    one.socket.emit('join', 'room');
    await joined;
  }
  const stringify = jest.spyOn(JSON, 'stringify');
  server.io.to('room').emit('news', { marker: 'zq-once' });
  await server.waitFor(() => server.delivered.length === 3);
  const encodings = stringify.mock.calls.filter(([value]) => (value as { eventName?: string })?.eventName === 'news');
  stringify.mockRestore();
  expect(encodings).toHaveLength(1);
});

describe('SendScheduler', () => {
  /** Creates senders of several frames, each of which takes `ms` milliseconds. */
  function setUp() {
    let time = 0;
    const done: string[] = [];
    const pauses: number[] = [];
    const turns = new SendScheduler(
      () => time,
      async (ms) => void pauses.push(ms),
    );
    const sender = (name: string, frames: number, ms: number, isNextLarge = false): Sender => {
      let left = frames;
      return {
        isNextLarge,
        sendNext: () => {
          if (left === 0) return false;
          left -= 1;
          time += ms;
          done.push(name);
          return true;
        },
      };
    };
    const finish = async () => {
      for (let i = 0; i < 50; i++) await turns.waitForTurn();
    };
    return { turns, done, pauses, sender, finish };
  }

  test('sends a little at once and much in slices, and alternates between senders', async () => {
    const { turns, done, sender } = setUp();
    turns.run(sender('short', 3, 0.1));
    expect(done).toEqual(['short', 'short', 'short']);
    done.length = 0;
    turns.run(sender('a', 3, 1.5));
    turns.run(sender('b', 2, 1.5));
    expect(done).toEqual(['a', 'a']);
    await turns.waitForTurn();
    expect(done).toEqual(['a', 'a', 'a', 'b']);
    await turns.waitForTurn();
    await turns.waitForTurn();
    expect(done).toEqual(['a', 'a', 'a', 'b', 'b']);
  });

  test('a large frame is followed by a pause of three times its length, in which small frames are sent', async () => {
    const { turns, done, pauses, sender, finish } = setUp();
    turns.run(sender('large a', 1, 7, true));
    turns.run(sender('large b', 1, 8, true));
    turns.run(sender('small', 2, 0.1));
    expect(done).toEqual(['large a']);
    await finish();
    expect(done).toEqual(['large a', 'small', 'small', 'large b']);
    expect(pauses).toEqual([21, 24]);
  });

  test('a large frame is sent in the end, although small ones never stop', async () => {
    const { turns, done, sender, finish } = setUp();
    turns.run(sender('small', 1_000, 1));
    turns.run(sender('large', 1, 7, true));
    await finish();
    expect(done.filter((name) => name === 'large')).toHaveLength(1);
    expect(done.at(-1)).toBe('small');
  });

  test('sends nothing more for a sender that is cancelled', async () => {
    const { turns, done, sender, finish } = setUp();
    const long = sender('long', 5, 10);
    turns.run(long);
    expect(turns.isWaiting(long)).toBe(true);
    turns.cancel(long);
    await finish();
    expect(done).toEqual(['long']);
  });
});

describe('SlowClientDetector', () => {
  const MB = 1_048_576;
  const socket = (identityKey: string, megabytes: number) => ({ identityKey, bufferedBytes: megabytes * MB });

  test('finds the slowest socket of an identity when too much is buffered for its sockets together', () => {
    const owed = new SlowClientDetector({ maxBytesPerIdentity: 10 * MB, maxBytesTotal: 100 * MB }, () => 0);
    const [quick, slow] = [socket('a', 4), socket('a', 6)];
    expect(owed.findSlowest(quick, [quick, slow], () => [])).toBeUndefined();
    slow.bufferedBytes += 1;
    expect(owed.findSlowest(quick, [quick, slow], () => [])).toBe(slow);
  });

  test('finds the slowest of all sockets when too much is buffered for all, and does not check at each event', () => {
    let time = 0;
    const owed = new SlowClientDetector({ maxBytesPerIdentity: 10 * MB, maxBytesTotal: 20 * MB }, () => time);
    const all = ['a', 'b', 'c'].map((identity, i) => socket(identity, 6 + i));
    const [first] = all as [(typeof all)[number]];
    expect(owed.findSlowest(first, [first], () => all)).toBe(all[2]);
    expect(owed.findSlowest(first, [first], () => all)).toBeUndefined();
    time += 250;
    expect(owed.findSlowest(first, [first], () => all)).toBe(all[2]);
  });
});

test('the slowest socket of an identity is closed when too much is buffered for its sockets together', async () => {
  const server = await startEchoServer(createTestAuthenticator(), {
    sendBufferLimits: { maxBytesPerIdentity: 5_000_000, maxBytesTotal: 100_000_000 },
  });
  const wallet = new CompletedProtoWallet(PrivateKey.fromRandom());
  for (let i = 0; i < 2; i++) {
    const one = await connectClient(server.url, { wallet, transports: ['websocket'] });
    const joined = one.waitForNext('echo');
    one.socket.emit('join', 'room');
    await joined;
  }
  // Several events of 900 KB for each socket are sent in one turn, in which no client reads anything.
  for (let i = 0; i < 6; i++) server.io.to('room').emit('large', `${i}${'x'.repeat(900_000)}`);
  await server.waitFor(() => server.closed.length > 0);
  expect(server.undelivered).toContain('too_slow');
});
