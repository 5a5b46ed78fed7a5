import { PrivateKey } from '@bsv/sdk';
import {
  closeAll,
  connectClient,
  connectPlainSocket,
  createTestAuthenticator,
  startEchoServer,
  waitForEvent,
} from './support/echo-server.ts';
import { recordFrames } from './support/recorded-client.ts';
import { LockedWallet } from './support/wallets.ts';

/** Clients begin a handshake for each event that they send before their first handshake is done. */
afterEach(closeAll);

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const identity = () => PrivateKey.fromRandom().toPublicKey().toString();
const handshake = (identityKey: string, n: number) => ({
  version: '0.1',
  messageType: 'initialRequest',
  identityKey,
  initialNonce: Buffer.alloc(48, n % 256).toString('base64'),
  requestedCertificates: { certifiers: [], types: {} },
});

test.each([9, 40, 150])(
  'all of %i events that are sent before the first handshake are accepted and answered',
  async (count) => {
    const server = await startEchoServer(createTestAuthenticator());
    const alice = await connectClient(server.url);
    const seen = recordFrames(alice);
    const answers: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      alice.socket.on('echo', ({ data }: { data: unknown }) => answers.push(data) === count && resolve());
    });
    for (const n of upTo(count)) alice.socket.emit('first', n);
    await all;
    expect([...answers].sort((a, b) => Number(a) - Number(b))).toEqual(upTo(count));
    expect(server.refusals).toEqual([]);
    expect(seen.fatalErrors).toEqual([]);
    expect(seen.maxConcurrent).toBeLessThanOrEqual(32);
    // Later events are accepted and answered, too, in any of the sessions.
    const later = alice.waitForNext('echo');
    alice.socket.emit('later', 1);
    expect(await later).toEqual({ eventName: 'later', data: 1 });
  },
);

test('a client that repeats the handshake later gets responses in its new session', async () => {
  const server = await startEchoServer(createTestAuthenticator());
  const alice = await connectClient(server.url);
  alice.socket.emit('before', 1);
  await alice.waitForNext('echo');
  const { peer } = alice.socket as unknown as {
    peer: { sessionManager: { sessionNonceToSession: Map<string, unknown> } };
  };
  const seen = recordFrames(alice);
  // The client has forgotten its sessions, as clients do with idle ones.
  const known = peer.sessionManager.sessionNonceToSession;
  const forgotten = [...known.keys()];
  (peer.sessionManager as unknown as { identityKeyToNonces: Map<string, unknown> }).identityKeyToNonces.clear();
  known.clear();
  const answer = alice.waitForNext('echo');
  alice.socket.emit('after', 2);
  expect(await answer).toEqual({ eventName: 'after', data: 2 });
  expect(forgotten).not.toContain(seen.frames.at(-1)?.yourNonce);
  expect(seen.fatalErrors).toEqual([]);
});

describe('an unproven client that repeats handshakes in a loop', () => {
  test('gets few answers, is refused and then disconnected, and other clients are served meanwhile', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const stranger = await connectPlainSocket(server.url);
    const ended = waitForEvent(stranger, 'disconnect');
    const answers: unknown[] = [];
    stranger.on('authMessage', (frame) => answers.push(frame));
    const key = identity();
    for (let n = 0; n < 1_200; n++) stranger.emit('authMessage', handshake(key, n));
    const alice = await connectClient(server.url);
    alice.socket.emit('hello', 1);
    await alice.waitForNext('echo');
    expect(await ended).toBe('io server disconnect');
    expect(answers.length).toBeLessThanOrEqual(16);
    expect(server.refusals).toHaveLength(33);
    expect(new Set(server.refusals)).toEqual(new Set(['Too many handshakes on one connection']));
  });

  test('is limited by the memory that unproven clients share', async () => {
    const server = await startEchoServer(createTestAuthenticator(), { unprovenMemory: { each: 20_000, shared: 0 } });
    const stranger = await connectPlainSocket(server.url);
    const ended = waitForEvent(stranger, 'disconnect');
    const key = identity();
    for (let n = 0; n < 120; n++) stranger.emit('authMessage', handshake(key, n));
    expect(await ended).toBe('io server disconnect');
    expect(new Set(server.refusals)).toEqual(new Set(['Too many handshakes wait on this connection']));
  });
});

test("a handshake with the server's own identity is refused", async () => {
  const server = await startEchoServer(createTestAuthenticator());
  const socket = await connectPlainSocket(server.url);
  const refused = waitForEvent(socket, 'authenticationFailed');
  const answered = jest.fn();
  socket.on('authMessage', answered);
  socket.emit('authMessage', handshake(createTestAuthenticator().identityKey, 1));
  expect(await refused).toEqual({ reason: expect.any(String) });
  expect(answered).not.toHaveBeenCalled();
});

test.each([
  ['a string', 'x'],
  ['a number', 7],
  ['null', null],
  ['undefined', undefined],
  ['an array', [1]],
  ['many', { certifiers: Array<string>(500).fill('x'), types: {} }],
])('a handshake is answered when its requested certificates are %s', async (_kind, requestedCertificates) => {
  const server = await startEchoServer(createTestAuthenticator());
  const socket = await connectPlainSocket(server.url);
  const answer = waitForEvent(socket, 'authMessage');
  socket.emit('authMessage', { ...handshake(identity(), 1), requestedCertificates, note: 'ignored' });
  expect(await answer).toMatchObject({ messageType: 'initialResponse' });
  expect(server.refusals).toEqual([]);
});

test('events in a session of another connection wait for the proof, also for one by a handshake', async () => {
  const wallet = new LockedWallet();
  const server = await startEchoServer(createTestAuthenticator());
  const frames: Record<string, unknown>[] = [];
  let third: () => void = () => undefined;
  const hasCome = new Promise<void>((resolve) => (third = resolve));
  server.io.on('connection', (socket) => {
    socket.on('authMessage', (frame: Record<string, unknown>) => frames.push(frame) === 3 && third());
  });
  const first = await connectClient(server.url, { wallet });
  first.socket.emit('captured', 1);
  await first.waitForNext('echo');
  const captured = frames.find(({ messageType }) => messageType === 'general');
  // The client answers no challenge.
  wallet.locked = true;
  const second = await connectClient(server.url, { wallet });
  await second.waitForNext('connect');
  const { ioSocket } = second.socket as unknown as { ioSocket: { emit(name: string, frame: unknown): void } };
  ioSocket.emit('authMessage', captured);
  await hasCome;
  expect(server.seen).toHaveLength(1);
  const answered = new Promise<void>((resolve) => {
    second.socket.on('echo', ({ eventName }: { eventName: string }) => eventName === 'own' && resolve());
  });
  second.socket.emit('own', 2);
  await answered;
  expect(server.seen.map(({ eventName }) => eventName)).toEqual(['captured', 'captured', 'own']);
});
