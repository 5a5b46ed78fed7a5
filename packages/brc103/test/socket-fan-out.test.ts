import { createHash } from 'node:crypto';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { EncodedEvent } from '../src/socket/encoded-event.ts';
import { OwedBytes } from '../src/socket/owed-bytes.ts';
import { SendTurns } from '../src/socket/send-turns.ts';
import { textFrameHead } from '../src/socket/websocket-frame.ts';
import { authenticator, client, closeAll, echo } from './support/echo.ts';

/** One event for many sockets: what is the same is made once, and the process stays answerable meanwhile. */
afterEach(closeAll);

test.each([0, 1, 9, 10, 99, 100, 255])('a payload is written as its numbers, such as %i', (byte) => {
  const event = new EncodedEvent('e', { text: String.fromCodePoint(byte + 0x20).repeat(3), byte });
  expect(event.endText).toBe(`${Array.from(event.payload).join(',')}]}]`);
  expect(event.end.toString()).toBe(event.endText);
  expect(event.end).toBe(event.end);
});

test.each([
  [0, '8100'],
  [125, '817d'],
  [126, '817e007e'],
  [65_535, '817effff'],
  [65_536, '817f0000000000010000'],
  [5_000_000, '817f00000000004c4b40'],
])('a websocket frame of %i bytes begins with %s', (bytes, head) => {
  expect(textFrameHead(bytes).toString('hex')).toBe(head);
});

test('each signature of an event is over its whole payload', () => {
  const event = new EncodedEvent('e', 'data');
  const digest = createHash('sha256').update(event.payload).digest('hex');
  expect([event.hash().digest('hex'), event.hash().digest('hex')]).toEqual([digest, digest]);
});

test.each([['websocket'], ['polling']])(
  'a large broadcast reaches all sockets, in slices and in order, over %s',
  async (transport) => {
    const server = await echo(authenticator());
    const clients = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const one = await client(server.url, { transports: [transport] });
        const joined = one.next('echo');
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
    const all = clients.map((one) => one.next('small'));
    server.io.to('room').emit('large', 'x'.repeat(900_000));
    for (const socket of server.opened) socket.emit('small', 1);
    // Nobody else would have got a turn before all of them were signed.
    expect(server.delivered.length).toBeLessThan(clients.length);
    await Promise.all(all);
    await server.until(() => server.delivered.length === clients.length);
    expect(heard).toEqual(clients.map(() => ['large', 'small']));
    expect(server.undelivered).toEqual([]);
  },
);

test('what is made of an event is the same for all sockets', async () => {
  const server = await echo(authenticator());
  const wallet = new CompletedProtoWallet(PrivateKey.fromRandom());
  for (let i = 0; i < 3; i++) {
    const one = await client(server.url, { wallet });
    const joined = one.next('echo');
    one.socket.emit('join', 'room');
    await joined;
  }
  const stringify = jest.spyOn(JSON, 'stringify');
  server.io.to('room').emit('news', { marker: 'zq-once' });
  await server.until(() => server.delivered.length === 3);
  const encodings = stringify.mock.calls.filter(([value]) => (value as { eventName?: string })?.eventName === 'news');
  stringify.mockRestore();
  expect(encodings).toHaveLength(1);
});

describe('turns', () => {
  /** Steps that take so many milliseconds each. */
  function setUp() {
    let time = 0;
    const done: string[] = [];
    const turns = new SendTurns(() => time);
    const work = (name: string, steps: number, ms: number) => {
      let left = steps;
      return () => {
        if (left === 0) return false;
        left -= 1;
        time += ms;
        done.push(name);
        return true;
      };
    };
    return { turns, done, work };
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test('short work is done at once, long work in slices, and those who wait take turns', async () => {
    const { turns, done, work } = setUp();
    turns.run(work('short', 3, 0.1));
    expect(done).toEqual(['short', 'short', 'short']);
    done.length = 0;
    turns.run(work('a', 3, 3));
    turns.run(work('b', 2, 3));
    expect(done).toEqual(['a', 'a']);
    await turn();
    expect(done).toEqual(['a', 'a', 'a', 'b']);
    await turn();
    await turn();
    expect(done).toEqual(['a', 'a', 'a', 'b', 'b']);
  });

  test('what is cancelled gets no turn', async () => {
    const { turns, done, work } = setUp();
    const long = work('long', 5, 10);
    turns.run(long);
    expect(turns.isWaiting(long)).toBe(true);
    turns.cancel(long);
    await turn();
    expect(done).toEqual(['long']);
  });
});

describe('bytes that are owed to several sockets', () => {
  const MB = 1_048_576;
  const socket = (identityKey: string, megabytes: number) => ({ identityKey, bufferedBytes: megabytes * MB });

  test('the slowest of an identity is found once all of its sockets are owed too much', () => {
    const owed = new OwedBytes({ perIdentity: 10 * MB, total: 100 * MB }, () => 0);
    const [quick, slow] = [socket('a', 4), socket('a', 6)];
    expect(owed.findSlowest(quick, [quick, slow], () => [])).toBeUndefined();
    slow.bufferedBytes += 1;
    expect(owed.findSlowest(quick, [quick, slow], () => [])).toBe(slow);
  });

  test('the slowest of all is found once all together are owed too much, and not looked for at each event', () => {
    let time = 0;
    const owed = new OwedBytes({ perIdentity: 10 * MB, total: 20 * MB }, () => time);
    const all = ['a', 'b', 'c'].map((identity, i) => socket(identity, 6 + i));
    const [first] = all as [(typeof all)[number]];
    expect(owed.findSlowest(first, [first], () => all)).toBe(all[2]);
    expect(owed.findSlowest(first, [first], () => all)).toBeUndefined();
    time += 250;
    expect(owed.findSlowest(first, [first], () => all)).toBe(all[2]);
  });
});

test('the slowest socket of an identity is closed when too much waits for all of them', async () => {
  const server = await echo(authenticator(), { owedBytes: { perIdentity: 5_000_000, total: 100_000_000 } });
  const wallet = new CompletedProtoWallet(PrivateKey.fromRandom());
  for (let i = 0; i < 2; i++) {
    const one = await client(server.url, { wallet, transports: ['websocket'] });
    const joined = one.next('echo');
    one.socket.emit('join', 'room');
    await joined;
  }
  // In one turn nobody has read anything: several events of 900 KB for each of them.
  for (let i = 0; i < 6; i++) server.io.to('room').emit('large', `${i}${'x'.repeat(900_000)}`);
  await server.until(() => server.closed.length > 0);
  expect(server.undelivered).toContain('too_slow');
});
