import type { AuthenticatorOptions } from '../src/index.js';
import { SocketSessions } from '../src/socket/socket-sessions.js';
import { SESSION_REFRESHED } from '../src/socket-io.js';
import {
  type Client,
  closeAll,
  connectClient,
  createTestAuthenticator,
  type EchoServer,
  startEchoServer,
} from './support/echo-server.ts';
import { ManualClock } from './support/manual-clock.ts';
import { CLIENT_IDLE_TIMEOUT_MS, ExpiringSessionManager, recordFrames } from './support/recorded-client.ts';
import { LockedWallet } from './support/wallets.ts';

/** Clients forget a session that is idle for 30 minutes, and accept 100,000 messages in one session. */
afterEach(closeAll);

const MINUTE = 60_000;

interface Idle {
  readonly clock: ManualClock;
  readonly server: EchoServer;
  readonly alice: Client;
  /** The types of the frames that the client has sent. */
  readonly sent: string[];
}

async function idle({
  wallet,
  ...options
}: Partial<AuthenticatorOptions> & { wallet?: LockedWallet } = {}): Promise<Idle> {
  const clock = new ManualClock();
  const now = () => clock.now();
  const server = await startEchoServer(createTestAuthenticator({ now, ...options }), {
    clock,
    maxSessionAgeMs: 7 * 24 * 60 * MINUTE,
  });
  const sent: string[] = [];
  server.io.on('connection', (socket) => {
    socket.on('authMessage', ({ messageType }: { messageType: string }) => sent.push(messageType));
  });
  const alice = await connectClient(server.url, {
    sessionManager: new ExpiringSessionManager(now),
    ...(wallet && { wallet }),
  });
  alice.socket.emit('join', 'room');
  await alice.waitForNext('echo');
  return { clock, server, alice, sent };
}

/** Advances the clock in steps, and waits for the refresh after each step. */
async function pass({ clock, alice }: Idle, ms: number, step: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) {
    const refreshed = alice.waitForNext(SESSION_REFRESHED);
    clock.advance(step);
    await refreshed;
  }
}

test.each([
  ['an hour', 60 * MINUTE, 10 * MINUTE],
  ['a day', 24 * 60 * MINUTE, 10 * MINUTE],
  ['six minutes', 6 * MINUTE, 3 * MINUTE],
])(
  'with sessions of %s, a client that was idle for four times its limit receives and sends without a handshake',
  async (_life, sessionLifetimeMs, step) => {
    const world = await idle({ sessionLifetimeMs });
    const { server, alice, sent } = world;
    const seen = recordFrames(alice);
    await pass(world, 4 * CLIENT_IDLE_TIMEOUT_MS, step);
    const news = alice.waitForNext('news');
    server.io.to('room').emit('news', 'still here');
    expect(await news).toBe('still here');
    const answer = alice.waitForNext('echo');
    alice.socket.emit('hello', 1);
    expect(await answer).toEqual({ eventName: 'hello', data: 1 });
    expect(sent.filter((type) => type === 'initialRequest')).toHaveLength(1);
    expect(seen.fatalErrors).toEqual([]);
    expect(server.refusals).toEqual([]);
  },
);

test('a refresh is an initialRequest, its answer, and one signed event in the new session', async () => {
  const world = await idle();
  const { clock, alice } = world;
  const before = recordFrames(alice);
  const echoed = alice.waitForNext('echo');
  alice.socket.emit('hello', 0);
  await echoed;
  const seen = recordFrames(alice);
  clock.advance(10 * MINUTE - 1);
  const refreshed = alice.waitForNext(SESSION_REFRESHED);
  clock.advance(1);
  await refreshed;
  expect(seen.frames.map(({ messageType }) => messageType)).toEqual(['initialRequest', 'general']);
  expect(seen.frames.at(1)?.yourNonce).not.toBe(before.frames.at(0)?.yourNonce);
  const next = alice.waitForNext('echo');
  alice.socket.emit('hello', 1);
  await next;
  expect(seen.frames.at(-1)?.yourNonce).toBe(seen.frames.at(1)?.yourNonce);
});

test('a session that has signed many frames is renewed early', async () => {
  const clock = new ManualClock();
  const server = await startEchoServer(createTestAuthenticator({ now: () => clock.now() }), {
    clock,
    maxFramesPerSession: 40,
  });
  const alice = await connectClient(server.url);
  alice.socket.emit('join', 'room');
  await alice.waitForNext('echo');
  const seen = recordFrames(alice);
  const last = new Promise<void>((resolve) => alice.socket.on('news', (n: unknown) => n === 199 && resolve()));
  for (let n = 0; n < 200; n++) server.io.to('room').emit('news', n);
  await last;
  const signed = new Map<unknown, number>();
  for (const { messageType, yourNonce } of seen.frames) {
    if (messageType === 'general') signed.set(yourNonce, (signed.get(yourNonce) ?? 0) + 1);
  }
  expect(signed.size).toBeGreaterThanOrEqual(3);
  // The old session signs until the refresh is answered.
  expect(Math.max(...signed.values())).toBeLessThanOrEqual(40 + 32);
  expect(seen.fatalErrors).toEqual([]);
});

test('a session signs half of the messages that clients accept in one, by default', () => {
  const sessions = new SocketSessions();
  const open = { nonce: 'n', handle: Buffer.alloc(16), identityKey: '02', issuedAt: 0, clientNonce: 'c' };
  sessions.replaceSigningSession(open, 0);
  for (let n = 0; n < 49_999; n++) sessions.takeSigningSession(0);
  expect(sessions.needsRenewal).toBe(false);
  sessions.takeSigningSession(0);
  expect(sessions.needsRenewal).toBe(true);
  sessions.replaceSigningSession({ ...open, nonce: 'n2' }, 0);
  expect(sessions.needsRenewal).toBe(false);
});

test('a refresh without an answer closes the connection, and the client reconnects and continues', async () => {
  const wallet = new LockedWallet();
  const world = await idle({ wallet });
  const { clock, server, alice } = world;
  wallet.locked = true;
  clock.advance(10 * MINUTE);
  const back = alice.waitForNext('connect');
  clock.advance(5 * MINUTE);
  await server.waitFor(() => server.closed.length > 0);
  expect(server.undelivered).toEqual(['no_answer']);
  wallet.locked = false;
  await back;
  const answer = alice.waitForNext('echo');
  alice.socket.emit('again', 1);
  expect(await answer).toEqual({ eventName: 'again', data: 1 });
});

test('nothing is signed in a session that the client may have forgotten', async () => {
  // The server's timers do not run while time passes, as when a machine is suspended.
  const clock = new ManualClock();
  let ahead = 0;
  const now = () => clock.now() + ahead;
  const server = await startEchoServer(createTestAuthenticator({ now }), {
    clock: { now, startTimer: (ms, run) => clock.startTimer(ms, run) },
  });
  const alice = await connectClient(server.url, { sessionManager: new ExpiringSessionManager(now) });
  alice.socket.emit('join', 'room');
  await alice.waitForNext('echo');
  const seen = recordFrames(alice);
  ahead = 29 * MINUTE;
  server.io.to('room').emit('news', 1);
  await server.waitFor(() => server.closed.length > 0);
  expect(server.undelivered).toEqual(['session_forgotten']);
  expect(server.delivered).toEqual([]);
  expect(seen.fatalErrors).toEqual([]);
});
