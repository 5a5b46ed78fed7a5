import { EventHistory, type PeerMessage, StrictMessageBoxClient } from '../src/index.js';
import { readEvent, SocketServer } from './support/socket-server.js';
import { createParty } from './support/wallets.js';

describe('a client of message boxes, live', () => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });

  const alice = createParty();

  async function world() {
    const server = new SocketServer();
    const { wallet, key } = createParty();
    const host = await server.open();
    const client = new StrictMessageBoxClient({
      host,
      walletClient: wallet,
      identityKey: key,
      socketSettings: { transports: ['websocket'], reconnectionDelay: 1, reconnectionDelayMax: 5 },
    });
    opened.push(server, client);
    const room = `${key}-chat`;
    const inbox = new EventHistory<PeerMessage>('live message');
    const listening = client.listenForLiveMessages({ messageBox: 'chat', onMessage: inbox.add });
    await event(server, 'authenticated');
    await server.say('authenticationSuccess', { status: 'success' });
    await listening;
    await event(server, 'joinRoom');
    const failed = new EventHistory<Error>('failure');
    client.testSocket?.onFailure(failed.add);
    return { server, client, room, inbox, failed };
  }

  const event = (server: SocketServer, name: string) =>
    server.frames.waitFor((frame) => readEvent(frame).eventName === name).then(readEvent);
  const nextEvent = (server: SocketServer, name: string) =>
    server.frames.waitForNext((frame) => readEvent(frame).eventName === name).then(readEvent);

  test('authenticates, joins a room, and receives pushed messages', async () => {
    const { server, room, inbox } = await world();
    expect((await event(server, 'joinRoom')).data).toBe(room);
    await server.say(`sendMessage-${room}`, { sender: alice.key, messageId: 'one', body: 'hello' });
    expect(await inbox.waitFor(() => true)).toMatchObject({ sender: alice.key, messageId: 'one', body: 'hello' });
  });

  test('joins again after a reconnect, also when the server has closed the connection', async () => {
    const { server, room, client } = await world();
    for (const end of [() => server.lose(), () => server.disconnect()]) {
      const authenticated = nextEvent(server, 'authenticated');
      const joined = nextEvent(server, 'joinRoom');
      end();
      await authenticated;
      await server.say('authenticationSuccess', { status: 'success' });
      expect((await joined).data).toBe(room);
    }
    expect(client.sockets).toHaveLength(2);
  });

  test.each([
    ['no id', { sender: alice.key, body: 'hello' }],
    ['a body that is an object', { sender: alice.key, messageId: 'one', body: {} }],
    ['an invalid sender', { sender: 'alice', messageId: 'one', body: 'hello' }],
  ])('gives up by rule 5 at a pushed message with %s', async (_what, push) => {
    const { server, room, failed } = await world();
    await server.say(`sendMessage-${room}`, push);
    expect(await failed.waitFor(() => true)).toMatchObject({ rule: '5' });
  });

  test.each([
    ['no room', { reason: 'no', code: 'ERR_WEBSOCKET_INVALID_ROOM' }],
    ['no code', { reason: 'no', roomId: 'a room' }],
  ])('gives up by rule 9.15 at a joinFailed with %s', async (_what, data) => {
    const { server, failed } = await world();
    await server.say('joinFailed', data);
    expect(await failed.waitFor(() => true)).toMatchObject({ rule: '9.15' });
  });

  test('does not join again a room that is refused for good', async () => {
    const { server, room, client } = await world();
    const refused = new EventHistory<unknown>('joinFailed');
    client.testSocket?.on('joinFailed', refused.add);
    await server.say('joinFailed', { roomId: room, reason: 'no', code: 'ERR_WEBSOCKET_ROOM_NOT_OWNED' });
    await refused.waitFor(() => true);
    const authenticated = nextEvent(server, 'authenticated');
    server.lose();
    await authenticated;
    const accepted = new EventHistory<unknown>('authenticationSuccess');
    client.testSocket?.on('authenticationSuccess', accepted.add);
    await server.say('authenticationSuccess', { status: 'success' });
    await accepted.waitFor(() => true);
    client.testSocket?.emit('last', {});
    await event(server, 'last');
    const names = server.frames.all.map((frame) => readEvent(frame).eventName);
    expect(names.filter((name) => name === 'joinRoom')).toHaveLength(1);
  });

  test('sends live, and expects the acks in the order of its sends', async () => {
    const { server, client } = await world();
    const room = `${alice.key}-chat`;
    const to = { recipient: alice.key, messageBox: 'chat', body: 'hello', skipEncryption: true };
    const sent = ['one', 'two'].map((messageId) => client.sendLiveMessage({ ...to, messageId }));
    for (const messageId of ['one', 'two']) {
      await server.frames.waitFor((frame) => {
        const { data } = readEvent(frame) as { data?: { message?: { messageId: string } } };
        return data?.message?.messageId === messageId;
      });
      await server.say(`sendMessageAck-${room}`, { status: 'success', messageId });
    }
    expect(await Promise.all(sent)).toEqual([
      { status: 'success', messageId: 'one' },
      { status: 'success', messageId: 'two' },
    ]);
    expect(client).toMatchObject({ sentLive: 2, sentByFallback: 0 });
  });

  test('gives up by rule 5 at an ack of another message', async () => {
    const { server, client } = await world();
    const sent = client.sendLiveMessage({ recipient: alice.key, messageBox: 'chat', body: 'hello', messageId: 'one' });
    sent.catch(() => {});
    await event(server, 'sendMessage');
    await server.say(`sendMessageAck-${alice.key}-chat`, { status: 'success', messageId: 'two' });
    await expect(sent).rejects.toMatchObject({ rule: '5' });
  });
});
