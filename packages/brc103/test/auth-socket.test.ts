import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { freePort } from '../../../tests/support/ports.ts';
import { admitUpTo } from '../src/socket/unproven-places.ts';
import { atEnd, authenticator, client, closeAll, Echo, echo, OWN_BYTES, once, plain } from './support/echo.ts';

afterEach(closeAll);

/** Every frame that the clients of one server send, as it came over the wire. */
function capture(server: Echo): { frames: Record<string, unknown>[]; until(count: number): Promise<void> } {
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
    'is authenticated and answered, over %j',
    async (transports) => {
      const server = await echo(authenticator());
      const alice = await client(server.url, { transports });
      const answer = alice.next('echo');
      alice.socket.emit('hello', { text: 'ü 箱 😀', n: [1, null] });
      expect(await answer).toEqual({ eventName: 'hello', data: { text: 'ü 箱 😀', n: [1, null] } });
      expect(server.seen).toEqual([{ from: alice.key, eventName: 'hello', data: { text: 'ü 箱 😀', n: [1, null] } }]);
      expect(alice.socket.serverIdentityKey).toBe(authenticator().identityKey);
      expect(server.refusals).toEqual([]);
    },
  );

  test('gets what is emitted to its room, signed for it alone; others do not', async () => {
    const server = await echo(authenticator());
    const [alice, bob] = [await client(server.url), await client(server.url)];
    alice.socket.emit('join', 'room of alice');
    bob.socket.emit('join', 'room of bob');
    await Promise.all([alice.next('echo'), bob.next('echo')]);
    const heard: unknown[] = [];
    bob.socket.on('news', (data) => heard.push(data));
    const news = alice.next('news');
    server.io.to('room of alice').emit('news', { for: 'alice' });
    expect(await news).toEqual({ for: 'alice' });
    const own = bob.next('news');
    server.io.to('room of bob').emit('news', { for: 'bob' });
    await own;
    expect(heard).toEqual([{ for: 'bob' }]);
  });

  test('keeps its session over a reconnect, also to another instance with the same key', async () => {
    const port = await freePort();
    const first = await new Echo(authenticator()).listen(port);
    const alice = await client(first.url);
    alice.socket.emit('before', 1);
    await alice.next('echo');
    const back = alice.next('connect');
    await first.close();
    const second = await new Echo(authenticator()).listen(port);
    atEnd(() => second.close());
    await back;
    const answer = alice.next('echo');
    alice.socket.emit('after', 2);
    expect(await answer).toEqual({ eventName: 'after', data: 2 });
    expect(second.seen).toEqual([{ from: alice.key, eventName: 'after', data: 2 }]);
  });

  test('is never silenced by an expired session: the nonce is renewed while the socket lives, and taken late', async () => {
    let now = 1_700_000_000_000;
    const port = await freePort();
    const server = new Echo(authenticator({ now: () => now, sessionLifeMs: 60_000 }), { sessionMaxMs: 600_000 });
    await server.listen(port);
    const captured = capture(server);
    const alice = await client(server.url);
    alice.socket.emit('first', 1);
    await alice.next('echo');
    const gone = alice.next('disconnect');
    await server.close();
    await gone;
    now += 300_000; // five lives later
    const second = new Echo(authenticator({ now: () => now, sessionLifeMs: 60_000 }), { sessionMaxMs: 600_000 });
    const later = capture(second);
    await second.listen(port);
    atEnd(() => second.close());
    await alice.next('connect');
    const answer = alice.next('echo');
    alice.socket.emit('second', 2);
    expect(await answer).toEqual({ eventName: 'second', data: 2 });
    // What it signs next names a nonce that was minted now, not the one of five lives ago.
    const next = alice.next('echo');
    alice.socket.emit('third', 3);
    await next;
    const general = later.frames.filter((frame) => frame['messageType'] === 'general');
    expect(general.at(0)?.['yourNonce']).toBe(captured.frames.at(-1)?.['yourNonce']);
    expect(general.at(-1)?.['yourNonce']).not.toBe(general.at(0)?.['yourNonce']);
    expect(second.refusals).toEqual([]);
  });

  test('past the longest life of a session is refused', async () => {
    let now = 1_700_000_000_000;
    const server = await echo(authenticator({ now: () => now }), { sessionMaxMs: 1_000 });
    const alice = await client(server.url);
    alice.socket.emit('first', 1);
    await alice.next('echo');
    now += 3_600_001;
    alice.socket.emit('second', 2);
    await server.until(() => server.refusals.length > 0);
    expect(server.refusals).toEqual(['Session not found for nonce']);
    expect(server.seen).toHaveLength(1);
  });
});

describe('captured frames', () => {
  test('are of no use on another connection: nothing happens and nothing is sent before the key is proven', async () => {
    const server = await echo(authenticator());
    const captured = capture(server);
    const alice = await client(server.url);
    alice.socket.emit('join', 'room of alice');
    await alice.next('echo');
    const frame = captured.frames.find((f) => f['messageType'] === 'general');

    const thief = await plain(server.url);
    const got: Record<string, unknown>[] = [];
    thief.on('authMessage', (message: Record<string, unknown>) => got.push(message));
    const challenged = once(thief, 'authMessage');
    thief.emit('authMessage', frame);
    await challenged;
    server.io.to('room of alice').emit('news', 'secret');
    await alice.next('news');
    // The thief's next frame is answered after all that was sent to it before.
    const refused = once(thief, 'authenticationFailed');
    thief.emit('authMessage', null);
    await refused;
    expect(server.seen).toHaveLength(1);
    expect(got).toEqual([expect.objectContaining({ messageType: 'initialRequest' })]);
  });

  test('with a made-up proof stay without effect', async () => {
    const server = await echo(authenticator());
    const captured = capture(server);
    const alice = await client(server.url);
    alice.socket.emit('pay', 1);
    await alice.next('echo');
    const frame = captured.frames.find((f) => f['messageType'] === 'general') as Record<string, unknown>;
    const thief = await plain(server.url);
    const challenge = once(thief, 'authMessage') as Promise<Record<string, string>>;
    thief.emit('authMessage', frame);
    const { initialNonce } = await challenge;
    const refused = once(thief, 'authenticationFailed');
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

describe('frames that are refused', () => {
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
    ['a text', 'authMessage'],
    ['nothing', undefined],
    ['an array', [1, 2, 3]],
    ['an empty object', {}],
    ['another version', { ...general, version: '0.2' }],
    ['no type', { ...general, messageType: undefined }],
    ['an unknown type', { ...general, messageType: '__proto__' }],
    ['a certificate request', { ...general, messageType: 'certificateRequest' }],
    ['a foreign nonce', general],
    ['a nonce of a wrong type', { ...general, yourNonce: { length: 5 } }],
    ['a nonce of 10 KB', { ...general, yourNonce: 'A'.repeat(10_000) }],
    ['a payload of texts', { ...general, payload: ['1'] }],
    ['a payload of numbers that are no bytes', { ...general, payload: [256] }],
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
  ])('%s', async (_name, frame) => {
    const server = await echo(authenticator());
    const socket = await plain(server.url);
    const refused = once(socket, 'authenticationFailed');
    socket.emit('authMessage', frame);
    expect(await refused).toEqual({ reason: expect.any(String) });
    expect(server.refusals).toHaveLength(1);
    expect(server.seen).toEqual([]);
    // The server goes on.
    const alice = await client(server.url);
    alice.socket.emit('hello', 1);
    await alice.next('echo');
  });

  test('unsigned app events are told about BRC-103', async () => {
    const server = await echo(authenticator());
    const socket = await plain(server.url);
    for (const event of ['authenticated', 'joinRoom', 'sendMessage']) {
      const refused = once(socket, 'authenticationFailed');
      socket.emit(event, { identityKey: `02${'1'.repeat(64)}` });
      expect(await refused).toEqual({ reason: expect.stringContaining('BRC-103') });
    }
    expect(server.seen).toEqual([]);
  });

  test('a frame in which another identity is claimed', async () => {
    const server = await echo(authenticator());
    const captured = capture(server);
    const alice = await client(server.url);
    alice.socket.emit('hello', 1);
    await alice.next('echo');
    const frame = captured.frames.find((f) => f['messageType'] === 'general') as Record<string, unknown>;
    const bob = PrivateKey.fromRandom().toPublicKey().toString();
    const thief = await plain(server.url);
    const refused = once(thief, 'authenticationFailed');
    thief.emit('authMessage', { ...frame, identityKey: bob });
    await refused;
    expect(server.seen.map((event) => event.from)).toEqual([alice.key]);
  });

  test('too many of them end the connection', async () => {
    const server = await echo(authenticator());
    const socket = await plain(server.url);
    const ended = once(socket, 'disconnect');
    for (let i = 0; i < 40; i++) socket.emit('authMessage', null);
    expect(await ended).toBe('io server disconnect');
  });

  test.each([[['websocket']], [['polling']]])('a frame above the bound of frames, over %j', async (transports) => {
    const server = await echo(authenticator());
    const socket = await plain(server.url, transports);
    const ended = once(socket, 'disconnect');
    socket.emit('authMessage', 'x'.repeat(1_000_100));
    await ended;
    expect(server.refusals).toEqual([]);
    // The bound is the same before and after the proof.
    const alice = await client(server.url, { transports });
    alice.socket.emit('hello', 1);
    await alice.next('echo');
    const answer = alice.next('echo');
    alice.socket.emit('large', 'x'.repeat(OWN_BYTES * 2));
    expect(await answer).toMatchObject({ eventName: 'large' });
  });
});

describe('bounds', () => {
  test('a socket that proves nothing in time is ended for good', async () => {
    const server = await echo(authenticator(), { proveWithinMs: 50 });
    const socket = await plain(server.url);
    expect(await once(socket, 'disconnect')).toBe('io server disconnect');
  });

  test('one identity has so many sockets, and others are not touched', async () => {
    const server = await echo(authenticator(), { maxPerIdentity: 1 });
    const wallet = new CompletedProtoWallet(PrivateKey.fromRandom());
    const first = await client(server.url, { wallet });
    first.socket.emit('hello', 1);
    await first.next('echo');
    const second = await client(server.url, { wallet });
    const refused = second.next('authenticationFailed');
    second.socket.emit('hello', 2);
    await refused;
    await server.until(() => server.closed.length === 1);
    const other = await client(server.url);
    other.socket.emit('hello', 3);
    await other.next('echo');
    // The place is free again when the first one leaves.
    first.socket.disconnect();
    await server.until(() => server.closed.length === 2);
    const third = await client(server.url, { wallet });
    third.socket.emit('hello', 4);
    await third.next('echo');
    expect(server.seen.map((event) => event.data)).toEqual([1, 3, 4]);
  });

  test('so many sockets may wait for authentication', async () => {
    const server = await echo(authenticator(), { admitUnproven: admitUpTo(1) });
    await plain(server.url);
    await expect(plain(server.url)).rejects.toThrow('Too many connections');
  });
});
