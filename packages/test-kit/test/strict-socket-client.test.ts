import {
  AwaitableSocket,
  createSlowWallet,
  EventHistory,
  Gate,
  MAX_CLIENT_FRAMES_IN_FLIGHT,
  StrictSocketClient,
  waitUntil,
} from '../src/index.js';
import { readEvent, SocketServer } from './support/socket-server.js';
import { StubServer } from './support/stub-server.js';
import { createParty } from './support/wallets.js';

describe('a live connection', () => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  async function connection(gate = new Gate()) {
    const server = new SocketServer();
    const url = await server.open();
    const { key, wallet } = createParty();
    const client = new StrictSocketClient(url, {
      wallet: createSlowWallet(wallet, gate.pass),
      settings: { transports: ['websocket'], reconnectionDelay: 1, reconnectionDelayMax: 5 },
    });
    const socket = new AwaitableSocket(client, client.io, key);
    const failed = new EventHistory<Error>('failure');
    client.onFailure(failed.add);
    opened.push(server, socket);
    socket.client.emit('hello', {});
    await server.frames.waitFor((frame) => readEvent(frame).eventName === 'hello');
    return { server, client, socket, failed, gate };
  }

  test('receives events of the server, and the server receives its events', async () => {
    const { server, socket, client } = await connection();
    const answered = socket.request('authenticated', { identityKey: socket.key }, 'authenticationSuccess');
    const frame = await server.frames.waitFor((each) => readEvent(each).eventName === 'authenticated');
    expect(readEvent(frame).data).toEqual({ identityKey: socket.key });
    await server.say('authenticationSuccess', { status: 'success' });
    expect(await answered).toEqual({ status: 'success' });
    expect(socket.wireEvents.all.map(({ eventName }) => eventName)).toEqual([
      '(initialResponse)',
      'authenticationSuccess',
    ]);
    expect(client).toMatchObject({ failure: undefined, serverIdentityKey: server.stub.party.key, handshakesBegun: 1 });
  });

  test('handles 32 frames at once', async () => {
    const { server, client, socket, gate } = await connection();
    const frames = await Promise.all(
      Array.from({ length: MAX_CLIENT_FRAMES_IN_FLIGHT }, (_, n) => server.signed(event('n', n))),
    );
    const numbers = socket.events<number>('n');
    gate.close();
    for (const frame of frames) server.frame(frame);
    await waitUntil('all are in work', () => client.framesInFlight === MAX_CLIENT_FRAMES_IN_FLIGHT);
    gate.open();
    await numbers.waitFor((n) => n === MAX_CLIENT_FRAMES_IN_FLIGHT - 1);
    expect(numbers.all).toHaveLength(MAX_CLIENT_FRAMES_IN_FLIGHT);
    expect([client.maxFramesInFlight, client.failure]).toEqual([MAX_CLIENT_FRAMES_IN_FLIGHT, undefined]);
  });

  test('is closed by rule 9.11 at one more frame, and pending waits are rejected', async () => {
    const { server, client, socket, failed, gate } = await connection();
    const frames = await Promise.all(
      Array.from({ length: MAX_CLIENT_FRAMES_IN_FLIGHT + 1 }, (_, n) => server.signed(event('n', n))),
    );
    const waiting = socket.events('never').waitForNext();
    gate.close();
    for (const frame of frames) server.frame(frame);
    await expect(waiting).rejects.toMatchObject({ rule: '9.11' });
    expect(await failed.waitFor(() => true)).toBe(client.failure);
    expect(client.connected).toBe(false);
    // The client does not reconnect, and later waits are rejected at once.
    await expect(socket.events('another').waitForNext()).rejects.toMatchObject({ rule: '9.11' });
    expect(client.io.active).toBe(false);
    gate.open();
  });

  test.each([
    ['a frame that is null', null, '9.1'],
    ['a message of another version', { version: '0.2' }, '9.1'],
  ])('is closed at %s', async (_what, frame, rule) => {
    const { server, failed, client } = await connection();
    server.frame(frame);
    expect(await failed.waitFor(() => true)).toMatchObject({ rule });
    expect(client.connected).toBe(false);
  });

  test.each([
    ['an event that is too large', event('x', 'a'.repeat(1_048_576)), '9.9'],
    ['an event with a forbidden name', event('join\u0007Room', 1), '9.10'],
    ['a payload that is not an event', Buffer.from('hello'), '5'],
  ])('is closed at %s by its rule', async (_what, payload, rule) => {
    const { server, failed } = await connection();
    server.frame(await server.signed(payload));
    expect(await failed.waitFor(() => true)).toMatchObject({ rule });
  });

  test('is closed when the identity of the server changes', async () => {
    const { server, socket, client, failed } = await connection();
    const first = socket.events('first').waitForNext();
    await server.say('first', {});
    await first;
    const other = new StubServer();
    server.frame(other.ask());
    const { initialNonce } = await server.frames.waitFor(({ messageType }) => messageType === 'initialResponse');
    server.frame(await other.say(socket.key, String(initialNonce), event('second', {})));
    expect(await failed.waitFor(() => true)).toMatchObject({ rule: '2' });
    expect(client.connected).toBe(false);
  });

  test('is closed when the server does not have the required identity', async () => {
    const server = new SocketServer();
    const client = new StrictSocketClient(await server.open(), {
      wallet: createParty().wallet,
      serverIdentityKey: createParty().key,
    });
    opened.push(server, { close: () => client.disconnect() });
    const failed = new EventHistory<Error>('failure');
    client.onFailure(failed.add);
    client.emit('hello', {});
    expect(await failed.waitFor(() => true)).toMatchObject({ rule: '2' });
    expect(client.connected).toBe(false);
    await waitUntil('the event is given up', () => client.sendFailures.length === 1);
  });

  test('keeps its session after a network failure', async () => {
    const { server, socket, client } = await connection();
    const back = socket.events('connect').waitForNext();
    server.lose();
    await back;
    client.emit('again', {});
    await server.frames.waitFor((frame) => readEvent(frame).eventName === 'again');
    expect([client.handshakesBegun, client.failure]).toEqual([1, undefined]);
  });

  test('refuses to send events that current clients would not send', async () => {
    const { client, socket } = await connection();
    expect(() => client.emit('disconnect', {})).toThrow(TypeError);
    await expect(socket.request('sendMessage', { body: 'a'.repeat(1_048_576) }, 'ack')).rejects.toThrow(TypeError);
  });
});

function event(eventName: string, data: unknown): Uint8Array {
  return Buffer.from(JSON.stringify({ eventName, data }));
}
