import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { findFreePort } from '@messagebox/test-kit/ports';
import { createUnprovenLimit } from '../src/socket/unproven-slots.js';
import {
  closeAfterTest,
  closeAll,
  connectClient,
  connectPlainSocket,
  createTestAuthenticator,
  EchoServer,
  FREE_BYTES_PER_SOCKET,
  startEchoServer,
  waitForEvent,
} from './support/echo-server.js';

afterEach(closeAll);

/** Records every frame that the clients of one server send, as it was received. */
function capture(server: EchoServer): { frames: Record<string, unknown>[]; until(count: number): Promise<void> } {
  const frames: Record<string, unknown>[] = [];
  let wake: () => void = () => undefined;
  server.io.on('connection', (socket) => {
    socket.on('authMessage', (frame: Record<string, unknown>) => {
      frames.push(frame);
      wake();
    });
  });
  return {
    frames,
    async until(count) {
      while (frames.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

describe('a real client', () => {
  test.each([[['websocket']], [['polling']], [['polling', 'websocket']]])(
    'is authenticated and gets responses over %j',
    async (transports) => {
      const server = await startEchoServer(createTestAuthenticator());
      const alice = await connectClient(server.url, { transports });
      const answer = alice.waitForNext('echo');
      alice.socket.emit('hello', { text: 'ü 箱 😀', n: [1, null] });
      expect(await answer).toEqual({ eventName: 'hello', data: { text: 'ü 箱 😀', n: [1, null] } });
      expect(server.seen).toEqual([{ from: alice.key, eventName: 'hello', data: { text: 'ü 箱 😀', n: [1, null] } }]);
      expect(alice.socket.serverIdentityKey).toBe(createTestAuthenticator().identityKey);
      expect(server.refusals).toEqual([]);
    },
  );

  test('receives the broadcasts to its room, signed for it, and no other client does', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const [alice, bob] = [await connectClient(server.url), await connectClient(server.url)];
    alice.socket.emit('join', 'room of alice');
    bob.socket.emit('join', 'room of bob');
    await Promise.all([alice.waitForNext('echo'), bob.waitForNext('echo')]);
    const heard: unknown[] = [];
    bob.socket.on('news', (data) => heard.push(data));
    const news = alice.waitForNext('news');
    server.io.to('room of alice').emit('news', { for: 'alice' });
    expect(await news).toEqual({ for: 'alice' });
    const own = bob.waitForNext('news');
    server.io.to('room of bob').emit('news', { for: 'bob' });
    await own;
    expect(heard).toEqual([{ for: 'bob' }]);
  });

  test('keeps its session after a reconnect, also on another instance with the same key', async () => {
    const port = await findFreePort();
    const first = await new EchoServer(createTestAuthenticator()).listen(port);
    const alice = await connectClient(first.url);
    alice.socket.emit('before', 1);
    await alice.waitForNext('echo');
    const back = alice.waitForNext('connect');
    await first.close();
    const second = await new EchoServer(createTestAuthenticator()).listen(port);
    closeAfterTest(() => second.close());
    await back;
    const answer = alice.waitForNext('echo');
    alice.socket.emit('after', 2);
    expect(await answer).toEqual({ eventName: 'after', data: 2 });
    expect(second.seen).toEqual([{ from: alice.key, eventName: 'after', data: 2 }]);
  });

  test('stays authenticated after its session has expired, because the nonce is renewed while the socket is open', async () => {
    let now = 1_700_000_000_000;
    const port = await findFreePort();
    const server = new EchoServer(createTestAuthenticator({ now: () => now, sessionLifetimeMs: 60_000 }), {
      maxSessionAgeMs: 600_000,
    });
    await server.listen(port);
    const captured = capture(server);
    const alice = await connectClient(server.url);
    alice.socket.emit('first', 1);
    await alice.waitForNext('echo');
    const gone = alice.waitForNext('disconnect');
    await server.close();
    await gone;
    now += 300_000; // five session lifetimes later
    const second = new EchoServer(createTestAuthenticator({ now: () => now, sessionLifetimeMs: 60_000 }), {
      maxSessionAgeMs: 600_000,
    });
    const later = capture(second);
    await second.listen(port);
    closeAfterTest(() => second.close());
    await alice.waitForNext('connect');
    const answer = alice.waitForNext('echo');
    alice.socket.emit('second', 2);
    expect(await answer).toEqual({ eventName: 'second', data: 2 });
    // The next message uses a nonce that was minted now, not five lifetimes ago.
    const next = alice.waitForNext('echo');
    alice.socket.emit('third', 3);
    await next;
    const general = later.frames.filter((frame) => frame['messageType'] === 'general');
    expect(general.at(0)?.['yourNonce']).toBe(captured.frames.at(-1)?.['yourNonce']);
    expect(general.at(-1)?.['yourNonce']).not.toBe(general.at(0)?.['yourNonce']);
    expect(second.refusals).toEqual([]);
  });

  test('is refused when its session is older than the maximum', async () => {
    let now = 1_700_000_000_000;
    const server = await startEchoServer(createTestAuthenticator({ now: () => now }), { maxSessionAgeMs: 1_000 });
    const alice = await connectClient(server.url);
    alice.socket.emit('first', 1);
    await alice.waitForNext('echo');
    now += 3_600_001;
    alice.socket.emit('second', 2);
    await server.waitFor(() => server.refusals.length > 0);
    expect(server.refusals).toEqual(['Session not found for nonce']);
    expect(server.seen).toHaveLength(1);
  });
});

describe('a captured frame', () => {
  test('has no effect on another connection, to which nothing is sent before the identity is proven', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const captured = capture(server);
    const alice = await connectClient(server.url);
    alice.socket.emit('join', 'room of alice');
    await alice.waitForNext('echo');
    const frame = captured.frames.find((f) => f['messageType'] === 'general');

    const thief = await connectPlainSocket(server.url);
    const got: Record<string, unknown>[] = [];
    thief.on('authMessage', (message: Record<string, unknown>) => got.push(message));
    const challenged = waitForEvent(thief, 'authMessage');
    thief.emit('authMessage', frame);
    await challenged;
    server.io.to('room of alice').emit('news', 'secret');
    await alice.waitForNext('news');
    // The response to the thief's next frame comes after everything that was sent to it before.
    const refused = waitForEvent(thief, 'authenticationFailed');
    thief.emit('authMessage', null);
    await refused;
    expect(server.seen).toHaveLength(1);
    expect(got).toEqual([expect.objectContaining({ messageType: 'initialRequest' })]);
  });

  test('has no effect with a forged proof', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const captured = capture(server);
    const alice = await connectClient(server.url);
    alice.socket.emit('pay', 1);
    await alice.waitForNext('echo');
    const frame = captured.frames.find((f) => f['messageType'] === 'general') as Record<string, unknown>;
    const thief = await connectPlainSocket(server.url);
    const challenge = waitForEvent(thief, 'authMessage') as Promise<Record<string, string>>;
    thief.emit('authMessage', frame);
    const { initialNonce } = await challenge;
    const refused = waitForEvent(thief, 'authenticationFailed');
    thief.emit('authMessage', {
      ...frame,
      messageType: 'initialResponse',
      initialNonce: frame['nonce'],
      yourNonce: initialNonce,
    });
    await refused;
    expect(server.seen).toHaveLength(1);
  });
});

describe('a frame that is refused', () => {
  const general = {
    version: '0.1',
    messageType: 'general',
    identityKey: 'x',
    nonce: 'x',
    yourNonce: 'x',
    payload: [1],
    signature: [1],
  };
  test.each<[string, unknown]>([
    ['null', null],
    ['a number', 7],
    ['a string', 'authMessage'],
    ['undefined', undefined],
    ['an array', [1, 2, 3]],
    ['an empty object', {}],
    ['another version', { ...general, version: '0.2' }],
    ['no type', { ...general, messageType: undefined }],
    ['an unknown type', { ...general, messageType: '__proto__' }],
    ['a certificate request', { ...general, messageType: 'certificateRequest' }],
    ['a foreign nonce', general],
    ['a nonce of a wrong type', { ...general, yourNonce: { length: 5 } }],
    ['a nonce of 10 KB', { ...general, yourNonce: 'A'.repeat(10_000) }],
    ['a payload of strings', { ...general, payload: ['1'] }],
    ['a payload of numbers that are not bytes', { ...general, payload: [256] }],
    ['a payload that is an object', { ...general, payload: { length: 1, 0: 1 } }],
    ['a long signature', { ...general, signature: Array(1_000).fill(1) }],
    ['a handshake without a key', { version: '0.1', messageType: 'initialRequest', initialNonce: 'A'.repeat(64) }],
    [
      'a handshake of anyone',
      { version: '0.1', messageType: 'initialRequest', identityKey: 'anyone', initialNonce: 'A'.repeat(64) },
    ],
    [
      'a handshake with an empty nonce',
      { version: '0.1', messageType: 'initialRequest', identityKey: `02${'1'.repeat(64)}`, initialNonce: '' },
    ],
  ])('has no effect: %s', async (_name, frame) => {
    const server = await startEchoServer(createTestAuthenticator());
    const socket = await connectPlainSocket(server.url);
    const refused = waitForEvent(socket, 'authenticationFailed');
    socket.emit('authMessage', frame);
    expect(await refused).toEqual({ reason: expect.any(String) });
    expect(server.refusals).toHaveLength(1);
    expect(server.seen).toEqual([]);
    // The server still serves other clients.
    const alice = await connectClient(server.url);
    alice.socket.emit('hello', 1);
    await alice.waitForNext('echo');
  });

  test('is answered with a hint to BRC-103 when it is an unsigned event', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const socket = await connectPlainSocket(server.url);
    for (const event of ['authenticated', 'joinRoom', 'sendMessage']) {
      const refused = waitForEvent(socket, 'authenticationFailed');
      socket.emit(event, { identityKey: `02${'1'.repeat(64)}` });
      expect(await refused).toEqual({ reason: expect.stringContaining('BRC-103') });
    }
    expect(server.seen).toEqual([]);
  });

  test('has no effect when it claims another identity', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const captured = capture(server);
    const alice = await connectClient(server.url);
    alice.socket.emit('hello', 1);
    await alice.waitForNext('echo');
    const frame = captured.frames.find((f) => f['messageType'] === 'general') as Record<string, unknown>;
    const bob = PrivateKey.fromRandom().toPublicKey().toString();
    const thief = await connectPlainSocket(server.url);
    const refused = waitForEvent(thief, 'authenticationFailed');
    thief.emit('authMessage', { ...frame, identityKey: bob });
    await refused;
    expect(server.seen.map((event) => event.from)).toEqual([alice.key]);
  });

  test('closes the connection after too many others', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const socket = await connectPlainSocket(server.url);
    const ended = waitForEvent(socket, 'disconnect');
    for (let i = 0; i < 40; i++) socket.emit('authMessage', null);
    expect(await ended).toBe('io server disconnect');
  });

  test.each([[['websocket']], [['polling']]])(
    'closes the connection when it is above the limit, over %j',
    async (transports) => {
      const server = await startEchoServer(createTestAuthenticator());
      const socket = await connectPlainSocket(server.url, transports);
      const ended = waitForEvent(socket, 'disconnect');
      socket.emit('authMessage', 'x'.repeat(1_000_100));
      await ended;
      expect(server.refusals).toEqual([]);
      // The limit is the same before and after the proof.
      const alice = await connectClient(server.url, { transports });
      alice.socket.emit('hello', 1);
      await alice.waitForNext('echo');
      const answer = alice.waitForNext('echo');
      alice.socket.emit('large', 'x'.repeat(FREE_BYTES_PER_SOCKET * 2));
      expect(await answer).toMatchObject({ eventName: 'large' });
    },
  );
});

describe('limits', () => {
  test('a socket is disconnected for good when it does not prove an identity in time', async () => {
    const server = await startEchoServer(createTestAuthenticator(), { authTimeoutMs: 50 });
    const socket = await connectPlainSocket(server.url);
    expect(await waitForEvent(socket, 'disconnect')).toBe('io server disconnect');
  });

  test('one identity has a limited number of sockets, and other identities are not affected', async () => {
    const server = await startEchoServer(createTestAuthenticator(), { maxSocketsPerIdentity: 1 });
    const wallet = new CompletedProtoWallet(PrivateKey.fromRandom());
    const first = await connectClient(server.url, { wallet });
    first.socket.emit('hello', 1);
    await first.waitForNext('echo');
    const second = await connectClient(server.url, { wallet });
    const refused = second.waitForNext('authenticationFailed');
    second.socket.emit('hello', 2);
    await refused;
    await server.waitFor(() => server.closed.length === 1);
    const other = await connectClient(server.url);
    other.socket.emit('hello', 3);
    await other.waitForNext('echo');
    // The place is free again when the first socket closes.
    first.socket.disconnect();
    await server.waitFor(() => server.closed.length === 2);
    const third = await connectClient(server.url, { wallet });
    third.socket.emit('hello', 4);
    await third.waitForNext('echo');
    expect(server.seen.map((event) => event.data)).toEqual([1, 3, 4]);
  });

  test('a limited number of sockets may wait for authentication', async () => {
    const server = await startEchoServer(createTestAuthenticator(), { admitUnproven: createUnprovenLimit(1) });
    await connectPlainSocket(server.url);
    await expect(connectPlainSocket(server.url)).rejects.toThrow('Too many connections');
  });
});
