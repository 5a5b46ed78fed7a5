import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import {
  type Client,
  closeAll,
  connectClient,
  createTestAuthenticator,
  type EchoServer,
  startEchoServer,
} from './support/echo-server.ts';
import { ManualClock } from './support/manual-clock.ts';
import { recordFrames } from './support/recorded-client.ts';
import { LockedWallet, OvertakingWallet, SlowWallet } from './support/wallets.ts';

/** Clients accept at most 32 frames at once, however slow their wallet is. A burst must reach them all the same. */
afterEach(closeAll);

async function listener(
  server: EchoServer,
  wallet = new CompletedProtoWallet(PrivateKey.fromRandom()),
  transports = ['websocket'],
): Promise<Client> {
  const alice = await connectClient(server.url, { wallet, transports });
  alice.socket.emit('join', 'room');
  await alice.waitForNext('echo');
  return alice;
}

/** Sends `count` numbers to the room. @returns the numbers that the client has received when the last one has arrived */
async function push(server: EchoServer, alice: Client, count: number): Promise<unknown[]> {
  const heard: unknown[] = [];
  const all = new Promise<void>((resolve) => {
    alice.socket.on('news', (n: unknown) => {
      heard.push(n);
      if (heard.length === count) resolve();
    });
  });
  for (let n = 0; n < count; n++) server.io.to('room').emit('news', n, 'meta');
  await all;
  return heard;
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

test.each([0, 10, 50])(
  '200 pushes arrive in order, at most 32 at once, with a wallet that takes %i ms for a call',
  async (ms) => {
    const server = await startEchoServer(createTestAuthenticator());
    const alice = await listener(server, new SlowWallet(ms));
    const seen = recordFrames(alice);
    expect(await push(server, alice, 200)).toEqual(upTo(200));
    expect(seen.maxConcurrent).toBeLessThanOrEqual(32);
    expect(seen.fatalErrors).toEqual([]);
    expect(server.delivered).toHaveLength(200);
    expect(server.undelivered).toEqual([]);
  },
);

test.each([[['polling']], [['polling', 'websocket']]])('200 pushes arrive in order over %j', async (transports) => {
  const server = await startEchoServer(createTestAuthenticator());
  const alice = await listener(server, new SlowWallet(0), transports);
  const seen = recordFrames(alice);
  expect(await push(server, alice, 200)).toEqual(upTo(200));
  expect(seen.fatalErrors).toEqual([]);
});

test('a client never has more than 32 frames when its wallet lets every fence overtake the frames before it', async () => {
  const server = await startEchoServer(createTestAuthenticator());
  const wallet = new OvertakingWallet();
  const alice = await listener(server, wallet);
  const seen = recordFrames(alice);
  wallet.hold();
  const done = push(server, alice, 300);
  await server.waitFor(() => server.delivered.length >= 300);
  wallet.release();
  expect(await done).toEqual(upTo(300));
  expect(seen.maxConcurrent).toBeGreaterThan(24);
  expect(seen.maxConcurrent).toBeLessThanOrEqual(32);
  expect(seen.fatalErrors).toEqual([]);
});

test('200 events of a client are all answered, at most 32 at once', async () => {
  const server = await startEchoServer(createTestAuthenticator());
  const alice = await listener(server);
  const seen = recordFrames(alice);
  const answers: unknown[] = [];
  const all = new Promise<void>((resolve) => {
    alice.socket.on('echo', ({ data }: { data: unknown }) => answers.push(data) === 200 && resolve());
  });
  for (const n of upTo(200)) alice.socket.emit('mine', n);
  await all;
  expect([...answers].sort((a, b) => Number(a) - Number(b))).toEqual(upTo(200));
  expect(seen.maxConcurrent).toBeLessThanOrEqual(32);
  expect(seen.fatalErrors).toEqual([]);
});

test('one fence is sent for every fifteen frames, and its session never signs', async () => {
  const server = await startEchoServer(createTestAuthenticator());
  const alice = await listener(server);
  const before = new Set<string>();
  const seen = recordFrames(alice);
  await push(server, alice, 150);
  const fences = seen.frames.filter(({ messageType }) => messageType === 'initialRequest');
  expect(fences.length).toBeGreaterThanOrEqual(9);
  expect(fences.length).toBeLessThanOrEqual(11);
  for (const { messageType, yourNonce } of seen.frames) if (messageType === 'general') before.add(String(yourNonce));
  expect(before.size).toBe(1);
});

describe('a client that answers no fence', () => {
  test('gets no more than it can handle, and is disconnected and reconnects when too much waits', async () => {
    const server = await startEchoServer(createTestAuthenticator(), { maxQueuedEvents: 100 });
    const wallet = new LockedWallet();
    const alice = await listener(server, wallet);
    const seen = recordFrames(alice);
    wallet.locked = true;
    for (let n = 0; n < 120; n++) server.io.to('room').emit('news', n);
    expect(server.undelivered).toEqual([]);
    expect(server.delivered.length).toBeLessThan(32);
    for (let n = 0; n < 12; n++) server.io.to('room').emit('news', 'too many');
    const back = alice.waitForNext('connect');
    await server.waitFor(() => server.closed.length > 0);
    expect(server.undelivered).toEqual(['too_slow']);
    expect(server.closed).not.toContain('server namespace disconnect');
    await back;
    expect(seen.maxConcurrent).toBeLessThanOrEqual(32);
  });

  test('is disconnected when too many bytes wait, and the bytes are counted', async () => {
    const server = await startEchoServer(createTestAuthenticator(), { maxBufferedBytes: 600_000 });
    const wallet = new LockedWallet();
    await listener(server, wallet);
    wallet.locked = true;
    const [socket] = server.opened;
    for (let n = 0; n < 40; n++) socket?.emit('news', 'x'.repeat(1_000));
    expect(socket?.bufferedBytes).toBeGreaterThan(9_000);
    for (let n = 0; n < 1_000 && server.undelivered.length === 0; n++) socket?.emit('news', 'x'.repeat(10_000));
    await server.waitFor(() => server.closed.length > 0);
    expect(server.undelivered).toEqual(['too_slow']);
  });

  test('is disconnected after five minutes, even when little waits', async () => {
    const clock = new ManualClock();
    const server = await startEchoServer(createTestAuthenticator({ now: () => clock.now() }), { clock });
    const wallet = new LockedWallet();
    const alice = await listener(server, wallet);
    wallet.locked = true;
    const heard = new Promise<void>((resolve) => alice.socket.on('news', (n: unknown) => n === 19 && resolve()));
    for (let n = 0; n < 20; n++) server.io.to('room').emit('news', n);
    await heard;
    clock.advance(4 * 60_000);
    expect(server.undelivered).toEqual([]);
    clock.advance(60_000);
    await server.waitFor(() => server.closed.length > 0);
    expect(server.undelivered).toEqual(['no_answer']);
    expect(clock.pending).toBeLessThanOrEqual(1);
  });

  test('does not delay other clients', async () => {
    const server = await startEchoServer(createTestAuthenticator(), { maxQueuedEvents: 1_000 });
    const wallet = new LockedWallet();
    await listener(server, wallet);
    wallet.locked = true;
    const bob = await listener(server);
    expect(await push(server, bob, 100)).toEqual(upTo(100));
  });
});

test('events that clients do not accept are not sent, and others are', async () => {
  const server = await startEchoServer(createTestAuthenticator());
  const alice = await listener(server);
  const seen = recordFrames(alice);
  server.io.to('room').emit('news\u202e', 'unspeakable');
  server.io.to('room').emit('news', 'x'.repeat(1_048_576));
  const heard = alice.waitForNext('news');
  server.io.to('room').emit('news', 'fits');
  expect(await heard).toBe('fits');
  expect(seen.frames).toHaveLength(1);
  expect(server.undelivered).toEqual(['unspeakable_name', 'too_large']);
  expect(server.delivered).toEqual(['news']);
});
