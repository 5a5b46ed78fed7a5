import {
  AwaitableSocket,
  Gate,
  History,
  MAX_FRAMES_IN_WORK,
  StrictSocketClient,
  slowWallet,
  until,
} from '../src/index.js';
import { eventIn, SocketServer } from './support/socket-server.js';
import { StubServer } from './support/stub-server.js';
import { newParty } from './support/wallets.js';

describe('a live connection', () => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  async function connection(gate = new Gate()) {
    const server = new SocketServer();
    const url = await server.open();
    const { key, wallet } = newParty();
    const client = new StrictSocketClient(url, {
      wallet: slowWallet(wallet, gate.pass),
      settings: { transports: ['websocket'], reconnectionDelay: 1, reconnectionDelayMax: 5 },
    });
    const socket = new AwaitableSocket(client, client.io, key);
    const failed = new History<Error>('failure');
    client.onFailure(failed.add);
    opened.push(server, socket);
    socket.client.emit('hello', {});
    await server.frames.find((frame) => eventIn(frame).eventName === 'hello');
    return { server, client, socket, failed, gate };
  }

  test('hears what a server says, and the server hears it', async () => {
    const { server, socket, client } = await connection();
    const answered = socket.ask('authenticated', { identityKey: socket.key }, 'authenticationSuccess');
    const frame = await server.frames.find((each) => eventIn(each).eventName === 'authenticated');
    expect(eventIn(frame).data).toEqual({ identityKey: socket.key });
    await server.say('authenticationSuccess', { status: 'success' });
    expect(await answered).toEqual({ status: 'success' });
    expect(socket.wire.all.map(({ eventName }) => eventName)).toEqual(['(initialResponse)', 'authenticationSuccess']);
    expect(client).toMatchObject({ failure: undefined, serverIdentityKey: server.stub.party.key, handshakesBegun: 1 });
  });

  test('works on 32 frames at once', async () => {
    const { server, client, socket, gate } = await connection();
    const frames = await Promise.all(
      Array.from({ length: MAX_FRAMES_IN_WORK }, (_, n) => server.signed(event('n', n))),
    );
    const numbers = socket.events<number>('n');
    gate.close();
    for (const frame of frames) server.frame(frame);
    await until('all are in work', () => client.framesInWork === MAX_FRAMES_IN_WORK);
    gate.open();
    await numbers.find((n) => n === MAX_FRAMES_IN_WORK - 1);
    expect(numbers.all).toHaveLength(MAX_FRAMES_IN_WORK);
    expect([client.highestFramesInWork, client.failure]).toEqual([MAX_FRAMES_IN_WORK, undefined]);
  });

  test('dies of one more by rule 9.11, and whoever waits is told', async () => {
    const { server, client, socket, failed, gate } = await connection();
    const frames = await Promise.all(
      Array.from({ length: MAX_FRAMES_IN_WORK + 1 }, (_, n) => server.signed(event('n', n))),
    );
    const waiting = socket.events('never').next();
    gate.close();
    for (const frame of frames) server.frame(frame);
    await expect(waiting).rejects.toMatchObject({ rule: '9.11' });
    expect(await failed.find(() => true)).toBe(client.failure);
    expect(client.connected).toBe(false);
    // For good: nobody comes back, and whoever waits later hears it at once.
    await expect(socket.events('another').next()).rejects.toMatchObject({ rule: '9.11' });
    expect(client.io.active).toBe(false);
    gate.open();
  });

  test.each([
    ['a frame that is nothing', null, '9.1'],
    ['a message of another version', { version: '0.2' }, '9.1'],
  ])('dies of %s by rule %s', async (_what, frame, rule) => {
    const { server, failed, client } = await connection();
    server.frame(frame);
    expect(await failed.find(() => true)).toMatchObject({ rule });
    expect(client.connected).toBe(false);
  });

  test.each([
    ['an event that is too large', event('x', 'a'.repeat(1_048_576)), '9.9'],
    ['an event with an unspeakable name', event('join\u0007Room', 1), '9.10'],
    ['a payload that is no event', Buffer.from('hello'), '5'],
  ])('dies of %s by its rule', async (_what, payload, rule) => {
    const { server, failed } = await connection();
    server.frame(await server.signed(payload));
    expect(await failed.find(() => true)).toMatchObject({ rule });
  });

  test('dies when the server becomes another one within the connection', async () => {
    const { server, socket, client, failed } = await connection();
    const first = socket.events('first').next();
    await server.say('first', {});
    await first;
    const other = new StubServer();
    server.frame(other.ask());
    const { initialNonce } = await server.frames.find(({ messageType }) => messageType === 'initialResponse');
    server.frame(await other.say(socket.key, String(initialNonce), event('second', {})));
    expect(await failed.find(() => true)).toMatchObject({ rule: '2' });
    expect(client.connected).toBe(false);
  });

  test('dies when another answers than the server that it was told to expect', async () => {
    const server = new SocketServer();
    const client = new StrictSocketClient(await server.open(), {
      wallet: newParty().wallet,
      serverIdentityKey: newParty().key,
    });
    opened.push(server, { close: () => client.disconnect() });
    const failed = new History<Error>('failure');
    client.onFailure(failed.add);
    client.emit('hello', {});
    expect(await failed.find(() => true)).toMatchObject({ rule: '2' });
    expect(client.connected).toBe(false);
    await until('the event is given up', () => client.sendFailures.length === 1);
  });

  test('goes on under its session when the network was lost', async () => {
    const { server, socket, client } = await connection();
    const back = socket.events('connect').next();
    server.lose();
    await back;
    client.emit('again', {});
    await server.frames.find((frame) => eventIn(frame).eventName === 'again');
    expect([client.handshakesBegun, client.failure]).toEqual([1, undefined]);
  });

  test('refuses to send what today`s clients would not send', async () => {
    const { client, socket } = await connection();
    expect(() => client.emit('disconnect', {})).toThrow(TypeError);
    await expect(socket.ask('sendMessage', { body: 'a'.repeat(1_048_576) }, 'ack')).rejects.toThrow(TypeError);
  });
});

function event(eventName: string, data: unknown): Uint8Array {
  return Buffer.from(JSON.stringify({ eventName, data }));
}
