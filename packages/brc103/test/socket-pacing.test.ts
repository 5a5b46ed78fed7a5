import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { authenticator, type Client, client, closeAll, type Echo, echo } from './support/echo.ts';
import { ManualClock } from './support/manual-clock.ts';
import { LockedWallet, OvertakingWallet, SlowWallet } from './support/wallets.ts';
import { watch } from './support/watched-client.ts';

/** A client takes 32 frames at once and no more, however slow its wallet; a burst must reach it all the same. */
afterEach(closeAll);

async function listener(
  server: Echo,
  wallet = new CompletedProtoWallet(PrivateKey.fromRandom()),
  transports = ['websocket'],
): Promise<Client> {
  const alice = await client(server.url, { wallet, transports });
  alice.socket.emit('join', 'room');
  await alice.next('echo');
  return alice;
}

/** Pushes so many numbers into the room. @returns what the client has heard when the last one has come */
async function push(server: Echo, alice: Client, count: number): Promise<unknown[]> {
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
  '200 pushes to a wallet of %i ms a call arrive in order, never more than 32 at once',
  async (ms) => {
    const server = await echo(authenticator());
    const alice = await listener(server, new SlowWallet(ms));
    const seen = watch(alice);
    expect(await push(server, alice, 200)).toEqual(upTo(200));
    expect(seen.mostAtOnce).toBeLessThanOrEqual(32);
    expect(seen.deaths).toEqual([]);
    expect(server.delivered).toHaveLength(200);
    expect(server.undelivered).toEqual([]);
  },
);

test.each([[['polling']], [['polling', 'websocket']]])('200 pushes arrive in order over %j', async (transports) => {
  const server = await echo(authenticator());
  const alice = await listener(server, new SlowWallet(0), transports);
  const seen = watch(alice);
  expect(await push(server, alice, 200)).toEqual(upTo(200));
  expect(seen.deaths).toEqual([]);
});

test('there are never more than 32 at once with a wallet that lets every fence overtake the frames before it', async () => {
  const server = await echo(authenticator());
  const wallet = new OvertakingWallet();
  const alice = await listener(server, wallet);
  const seen = watch(alice);
  wallet.hold();
  const done = push(server, alice, 300);
  await server.until(() => server.delivered.length >= 300);
  wallet.release();
  expect(await done).toEqual(upTo(300));
  expect(seen.mostAtOnce).toBeGreaterThan(24);
  expect(seen.mostAtOnce).toBeLessThanOrEqual(32);
  expect(seen.deaths).toEqual([]);
});

test('200 events of a client itself are all answered, never more than 32 at once', async () => {
  const server = await echo(authenticator());
  const alice = await listener(server);
  const seen = watch(alice);
  const answers: unknown[] = [];
  const all = new Promise<void>((resolve) => {
    alice.socket.on('echo', ({ data }: { data: unknown }) => answers.push(data) === 200 && resolve());
  });
  for (const n of upTo(200)) alice.socket.emit('mine', n);
  await all;
  expect([...answers].sort((a, b) => Number(a) - Number(b))).toEqual(upTo(200));
  expect(seen.mostAtOnce).toBeLessThanOrEqual(32);
  expect(seen.deaths).toEqual([]);
});

test('one fence is asked for every fifteen frames, and its session never signs', async () => {
  const server = await echo(authenticator());
  const alice = await listener(server);
  const before = new Set<string>();
  const seen = watch(alice);
  await push(server, alice, 150);
  const fences = seen.frames.filter(({ messageType }) => messageType === 'initialRequest');
  expect(fences.length).toBeGreaterThanOrEqual(9);
  expect(fences.length).toBeLessThanOrEqual(11);
  for (const { messageType, yourNonce } of seen.frames) if (messageType === 'general') before.add(String(yourNonce));
  expect(before.size).toBe(1);
});

describe('a client that answers no fence', () => {
  test('is given no more than it bears; when too much waits, its connection is closed and it comes back', async () => {
    const server = await echo(authenticator(), { waitingEvents: 100 });
    const wallet = new LockedWallet();
    const alice = await listener(server, wallet);
    const seen = watch(alice);
    wallet.locked = true;
    for (let n = 0; n < 120; n++) server.io.to('room').emit('news', n);
    expect(server.undelivered).toEqual([]);
    expect(server.delivered.length).toBeLessThan(32);
    for (let n = 0; n < 12; n++) server.io.to('room').emit('news', 'too many');
    const back = alice.next('connect');
    await server.until(() => server.closed.length > 0);
    expect(server.undelivered).toEqual(['too_slow']);
    expect(server.closed).not.toContain('server namespace disconnect');
    await back;
    expect(seen.mostAtOnce).toBeLessThanOrEqual(32);
  });

  test('is closed when too many bytes wait, and they are counted', async () => {
    const server = await echo(authenticator(), { bufferedBytes: 600_000 });
    const wallet = new LockedWallet();
    await listener(server, wallet);
    wallet.locked = true;
    const [socket] = server.opened;
    for (let n = 0; n < 40; n++) socket?.emit('news', 'x'.repeat(1_000));
    expect(socket?.bufferedBytes).toBeGreaterThan(9_000);
    for (let n = 0; n < 1_000 && server.undelivered.length === 0; n++) socket?.emit('news', 'x'.repeat(10_000));
    await server.until(() => server.closed.length > 0);
    expect(server.undelivered).toEqual(['too_slow']);
  });

  test('is closed after five minutes, though little waits', async () => {
    const clock = new ManualClock();
    const server = await echo(authenticator({ now: () => clock.now() }), { clock });
    const wallet = new LockedWallet();
    const alice = await listener(server, wallet);
    wallet.locked = true;
    const heard = new Promise<void>((resolve) => alice.socket.on('news', (n: unknown) => n === 19 && resolve()));
    for (let n = 0; n < 20; n++) server.io.to('room').emit('news', n);
    await heard;
    clock.advance(4 * 60_000);
    expect(server.undelivered).toEqual([]);
    clock.advance(60_000);
    await server.until(() => server.closed.length > 0);
    expect(server.undelivered).toEqual(['no_answer']);
    expect(clock.pending).toBeLessThanOrEqual(1);
  });

  test('holds nobody else up', async () => {
    const server = await echo(authenticator(), { waitingEvents: 1_000 });
    const wallet = new LockedWallet();
    await listener(server, wallet);
    wallet.locked = true;
    const bob = await listener(server);
    expect(await push(server, bob, 100)).toEqual(upTo(100));
  });
});

test('events that clients do not take are not sent, and nothing else suffers', async () => {
  const server = await echo(authenticator());
  const alice = await listener(server);
  const seen = watch(alice);
  server.io.to('room').emit('news\u202e', 'unspeakable');
  server.io.to('room').emit('news', 'x'.repeat(1_048_576));
  const heard = alice.next('news');
  server.io.to('room').emit('news', 'fits');
  expect(await heard).toBe('fits');
  expect(seen.frames).toHaveLength(1);
  expect(server.undelivered).toEqual(['unspeakable_name', 'too_large']);
  expect(server.delivered).toEqual(['news']);
});
