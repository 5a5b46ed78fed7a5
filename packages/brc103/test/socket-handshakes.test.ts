import { PrivateKey } from '@bsv/sdk';
import { authenticator, client, closeAll, echo, once, plain } from './support/echo.ts';
import { LockedWallet } from './support/wallets.ts';
import { watch } from './support/watched-client.ts';

/** A client shakes hands for each event that it sends before its first handshake is done. */
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

test.each([9, 40, 150])('%i events sent before the first handshake are all taken and answered', async (count) => {
  const server = await echo(authenticator());
  const alice = await client(server.url);
  const seen = watch(alice);
  const answers: unknown[] = [];
  const all = new Promise<void>((resolve) => {
    alice.socket.on('echo', ({ data }: { data: unknown }) => answers.push(data) === count && resolve());
  });
  for (const n of upTo(count)) alice.socket.emit('first', n);
  await all;
  expect([...answers].sort((a, b) => Number(a) - Number(b))).toEqual(upTo(count));
  expect(server.refusals).toEqual([]);
  expect(seen.deaths).toEqual([]);
  expect(seen.mostAtOnce).toBeLessThanOrEqual(32);
  // What comes later is taken and answered as well, under whichever session.
  const later = alice.next('echo');
  alice.socket.emit('later', 1);
  expect(await later).toEqual({ eventName: 'later', data: 1 });
});

test('a client that shakes hands again later is answered under its new session', async () => {
  const server = await echo(authenticator());
  const alice = await client(server.url);
  alice.socket.emit('before', 1);
  await alice.next('echo');
  const { peer } = alice.socket as unknown as {
    peer: { sessionManager: { sessionNonceToSession: Map<string, unknown> } };
  };
  const seen = watch(alice);
  // It has forgotten its sessions, as clients do of idle ones.
  const known = peer.sessionManager.sessionNonceToSession;
  const forgotten = [...known.keys()];
  (peer.sessionManager as unknown as { identityKeyToNonces: Map<string, unknown> }).identityKeyToNonces.clear();
  known.clear();
  const answer = alice.next('echo');
  alice.socket.emit('after', 2);
  expect(await answer).toEqual({ eventName: 'after', data: 2 });
  expect(forgotten).not.toContain(seen.frames.at(-1)?.yourNonce);
  expect(seen.deaths).toEqual([]);
});

describe('a stranger who shakes hands in a loop', () => {
  test('is given few answers, is refused, and then ended; others are served meanwhile', async () => {
    const server = await echo(authenticator());
    const stranger = await plain(server.url);
    const ended = once(stranger, 'disconnect');
    const answers: unknown[] = [];
    stranger.on('authMessage', (frame) => answers.push(frame));
    const key = identity();
    for (let n = 0; n < 1_200; n++) stranger.emit('authMessage', handshake(key, n));
    const alice = await client(server.url);
    alice.socket.emit('hello', 1);
    await alice.next('echo');
    expect(await ended).toBe('io server disconnect');
    expect(answers.length).toBeLessThanOrEqual(16);
    expect(server.refusals).toHaveLength(33);
    expect(new Set(server.refusals)).toEqual(new Set(['Too many handshakes on one connection']));
  });

  test('is held to the memory that strangers share', async () => {
    const server = await echo(authenticator(), { unprovenBytes: { each: 20_000, shared: 0 } });
    const stranger = await plain(server.url);
    const ended = once(stranger, 'disconnect');
    const key = identity();
    for (let n = 0; n < 120; n++) stranger.emit('authMessage', handshake(key, n));
    expect(await ended).toBe('io server disconnect');
    expect(new Set(server.refusals)).toEqual(new Set(['Too many handshakes wait on this connection']));
  });
});

test('a handshake in the name of the server itself is refused', async () => {
  const server = await echo(authenticator());
  const socket = await plain(server.url);
  const refused = once(socket, 'authenticationFailed');
  const answered = jest.fn();
  socket.on('authMessage', answered);
  socket.emit('authMessage', handshake(authenticator().identityKey, 1));
  expect(await refused).toEqual({ reason: expect.any(String) });
  expect(answered).not.toHaveBeenCalled();
});

test.each([
  ['a text', 'x'],
  ['a number', 7],
  ['null', null],
  ['nothing', undefined],
  ['a list', [1]],
  ['many', { certifiers: Array<string>(500).fill('x'), types: {} }],
])('requested certificates that are %s are no reason to refuse a handshake', async (_kind, requestedCertificates) => {
  const server = await echo(authenticator());
  const socket = await plain(server.url);
  const answer = once(socket, 'authMessage');
  socket.emit('authMessage', { ...handshake(identity(), 1), requestedCertificates, note: 'ignored' });
  expect(await answer).toMatchObject({ messageType: 'initialResponse' });
  expect(server.refusals).toEqual([]);
});

test('events under a session of another connection wait for the proof, also when a handshake brings it', async () => {
  const wallet = new LockedWallet();
  const server = await echo(authenticator());
  const frames: Record<string, unknown>[] = [];
  let third: () => void = () => undefined;
  const hasCome = new Promise<void>((resolve) => (third = resolve));
  server.io.on('connection', (socket) => {
    socket.on('authMessage', (frame: Record<string, unknown>) => frames.push(frame) === 3 && third());
  });
  const first = await client(server.url, { wallet });
  first.socket.emit('captured', 1);
  await first.next('echo');
  const captured = frames.find(({ messageType }) => messageType === 'general');
  // It answers no challenge.
  wallet.locked = true;
  const second = await client(server.url, { wallet });
  await second.next('connect');
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
