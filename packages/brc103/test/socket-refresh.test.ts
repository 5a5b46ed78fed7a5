import { SESSION_REFRESHED } from '../src/index.js';
import { SocketSessions } from '../src/socket/socket-sessions.js';
import { authenticator, type Client, client, closeAll, type Echo, echo } from './support/echo.ts';
import { ManualClock } from './support/manual-clock.ts';
import { LockedWallet } from './support/wallets.ts';
import { CLIENT_IDLE_MS, ForgetfulSessions, watch } from './support/watched-client.ts';

/** A client forgets a session that is idle for 30 minutes, and takes 100,000 messages of one. */
afterEach(closeAll);

const MINUTE = 60_000;

interface Idle {
  readonly clock: ManualClock;
  readonly server: Echo;
  readonly alice: Client;
  /** Types of the frames that the client has sent. */
  readonly sent: string[];
}

async function idle(options: { sessionLifeMs?: number; wallet?: LockedWallet } = {}): Promise<Idle> {
  const clock = new ManualClock();
  const now = () => clock.now();
  const server = await echo(
    authenticator({ now, ...(options.sessionLifeMs && { sessionLifeMs: options.sessionLifeMs }) }),
    {
      clock,
      sessionMaxMs: 7 * 24 * 60 * MINUTE,
    },
  );
  const sent: string[] = [];
  server.io.on('connection', (socket) => {
    socket.on('authMessage', ({ messageType }: { messageType: string }) => sent.push(messageType));
  });
  const alice = await client(server.url, {
    sessionManager: new ForgetfulSessions(now),
    ...(options.wallet && { wallet: options.wallet }),
  });
  alice.socket.emit('join', 'room');
  await alice.next('echo');
  return { clock, server, alice, sent };
}

/** Lets time pass in steps, with the exchange of each refresh in between. */
async function pass({ clock, alice }: Idle, ms: number, step: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) {
    const refreshed = alice.next(SESSION_REFRESHED);
    clock.advance(step);
    await refreshed;
  }
}

test.each([
  ['an hour', 60 * MINUTE, 10 * MINUTE],
  ['a day', 24 * 60 * MINUTE, 10 * MINUTE],
  ['six minutes', 6 * MINUTE, 3 * MINUTE],
])(
  'with sessions of %s, one idle for four times the client`s limit receives and sends without a handshake',
  async (_life, sessionLifeMs, step) => {
    const world = await idle({ sessionLifeMs });
    const { server, alice, sent } = world;
    const seen = watch(alice);
    await pass(world, 4 * CLIENT_IDLE_MS, step);
    const news = alice.next('news');
    server.io.to('room').emit('news', 'still here');
    expect(await news).toBe('still here');
    const answer = alice.next('echo');
    alice.socket.emit('hello', 1);
    expect(await answer).toEqual({ eventName: 'hello', data: 1 });
    expect(sent.filter((type) => type === 'initialRequest')).toHaveLength(1);
    expect(seen.deaths).toEqual([]);
    expect(server.refusals).toEqual([]);
  },
);

test('a refresh is an initialRequest, its answer, and one signed event under the new session', async () => {
  const world = await idle();
  const { clock, alice } = world;
  const before = watch(alice);
  const echoed = alice.next('echo');
  alice.socket.emit('hello', 0);
  await echoed;
  const seen = watch(alice);
  clock.advance(10 * MINUTE - 1);
  const refreshed = alice.next(SESSION_REFRESHED);
  clock.advance(1);
  await refreshed;
  expect(seen.frames.map(({ messageType }) => messageType)).toEqual(['initialRequest', 'general']);
  expect(seen.frames.at(1)?.yourNonce).not.toBe(before.frames.at(0)?.yourNonce);
  const next = alice.next('echo');
  alice.socket.emit('hello', 1);
  await next;
  expect(seen.frames.at(-1)?.yourNonce).toBe(seen.frames.at(1)?.yourNonce);
});

test('a session that has signed many frames is renewed, though it is young', async () => {
  const clock = new ManualClock();
  const server = await echo(authenticator({ now: () => clock.now() }), { clock, framesPerSession: 40 });
  const alice = await client(server.url);
  alice.socket.emit('join', 'room');
  await alice.next('echo');
  const seen = watch(alice);
  const last = new Promise<void>((resolve) => alice.socket.on('news', (n: unknown) => n === 199 && resolve()));
  for (let n = 0; n < 200; n++) server.io.to('room').emit('news', n);
  await last;
  const signed = new Map<unknown, number>();
  for (const { messageType, yourNonce } of seen.frames) {
    if (messageType === 'general') signed.set(yourNonce, (signed.get(yourNonce) ?? 0) + 1);
  }
  expect(signed.size).toBeGreaterThanOrEqual(3);
  // It goes on signing until the refresh is answered, and no longer.
  expect(Math.max(...signed.values())).toBeLessThanOrEqual(40 + 32);
  expect(seen.deaths).toEqual([]);
});

test('without options a session signs half of what clients take of one', () => {
  const sessions = new SocketSessions();
  const open = { nonce: 'n', handle: Buffer.alloc(16), identityKey: '02', issuedAt: 0, clientNonce: 'c' };
  sessions.renew(open, 0);
  for (let n = 0; n < 49_999; n++) sessions.signNext(0);
  expect(sessions.isWorn).toBe(false);
  sessions.signNext(0);
  expect(sessions.isWorn).toBe(true);
  sessions.renew({ ...open, nonce: 'n2' }, 0);
  expect(sessions.isWorn).toBe(false);
});

test('a refresh that is not answered ends the connection, and the client comes back and goes on', async () => {
  const wallet = new LockedWallet();
  const world = await idle({ wallet });
  const { clock, server, alice } = world;
  wallet.locked = true;
  clock.advance(10 * MINUTE);
  const back = alice.next('connect');
  clock.advance(5 * MINUTE);
  await server.until(() => server.closed.length > 0);
  expect(server.undelivered).toEqual(['no_answer']);
  wallet.locked = false;
  await back;
  const answer = alice.next('echo');
  alice.socket.emit('again', 1);
  expect(await answer).toEqual({ eventName: 'again', data: 1 });
});

test('nothing is signed under a session that the client may have forgotten', async () => {
  // A server whose timers stand still while time passes: as after a suspended machine.
  const clock = new ManualClock();
  let ahead = 0;
  const now = () => clock.now() + ahead;
  const server = await echo(authenticator({ now }), { clock: { now, after: (ms, run) => clock.after(ms, run) } });
  const alice = await client(server.url, { sessionManager: new ForgetfulSessions(now) });
  alice.socket.emit('join', 'room');
  await alice.next('echo');
  const seen = watch(alice);
  ahead = 29 * MINUTE;
  server.io.to('room').emit('news', 1);
  await server.until(() => server.closed.length > 0);
  expect(server.undelivered).toEqual(['session_forgotten']);
  expect(server.delivered).toEqual([]);
  expect(seen.deaths).toEqual([]);
});
