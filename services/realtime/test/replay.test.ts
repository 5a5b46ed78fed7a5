import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { REPLAY_LIMITS } from '../src/replay/replay-limits.js';
import { type LiveServer, startLiveServer } from './support/live-server.js';

const sender = new RawClient().identityKey;
let live: LiveServer;
let client: RawClient;
let room: string;
const open: RawSocket[] = [];
beforeEach(async () => {
  // Lost live events are not recovered for the whole instance, so that what arrives was replayed.
  const recoveryTimes = { interval: 10, grace: 600_000, late: [], maxPause: 50 };
  live = await startLiveServer({ LIVE_MAX_BODY: '100000' }, { recoveryTimes });
  client = new RawClient();
  room = `${client.identityKey}-inbox`;
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.close();
  await live.close();
  jest.restoreAllMocks();
});

/** @param events what the client says first, without waiting for answers. Default: that it is there */
async function connect(of = client, events?: readonly string[]): Promise<RawSocket> {
  const socket = events === undefined ? await RawSocket.proven(live.url, of) : await RawSocket.open(live.url);
  open.push(socket);
  if (events === undefined) return socket;
  await socket.shakeHands(of);
  for (const event of events) {
    socket.event(event, event === 'joinRoom' ? `${of.identityKey}-inbox` : { identityKey: of.identityKey });
  }
  return socket;
}

async function join(socket: RawSocket, data: unknown = room): Promise<void> {
  socket.event('joinRoom', data);
  await socket.waitFor('joinedRoom');
}

/** Ends a connection as a network failure does. */
async function cut(socket: RawSocket): Promise<void> {
  const before = live.realtime.size;
  socket.io.io.engine.close();
  await waitForCondition(() => live.realtime.size < before, 'the server has noticed');
}

/** Stores messages as if their room events had been lost. */
async function store(...messageIds: string[]): Promise<void> {
  await live.context.store.storeMessages(messageIds.map((messageId) => toMessage(messageId)));
}

/**
 * Waits until the search for lost live events has passed all messages that are stored now. A socket that joins a room before
 * that counts as one that has missed them, and gets them before the next live event of their sender. To be called while no
 * socket is in a room.
 */
async function waitForScan(): Promise<void> {
  const scans = jest.spyOn(live.context.store, 'findNewestId');
  // One may have begun before, and the live position asks for the newest row as well.
  await waitForCondition(() => scans.mock.calls.length >= 4, 'new rows were read');
}

function toMessage(messageId: string, body = `body of ${messageId}`) {
  return { recipient: client.identityKey, messageBox: 'inbox', messageId, sender, body };
}

/** Stores a message and publishes it. */
async function sendLive(messageId: string): Promise<void> {
  const [result] = await live.context.store.storeMessages([toMessage(messageId)]);
  live.realtime.publisher.publish({ ...toMessage(messageId), cursor: result?.cursor });
}

async function takePushes(socket: RawSocket, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { data } = await socket.waitFor(`sendMessage-${room}`);
    ids.push((data as { messageId: string }).messageId);
  }
  return ids;
}

/** Whatever the server had to say to the socket has arrived after this. */
async function flush(socket: RawSocket): Promise<void> {
  socket.event('leaveRoom', `${client.identityKey}-flush`);
  await socket.waitFor('leftRoom');
}

const number = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`);

describe('a client that comes back', () => {
  test('gets what was stored since its connection was lost, in order and once', async () => {
    const phone = await connect();
    await join(phone);
    await cut(phone);
    await store(...number(1, 250));
    const again = await connect();
    expect(await takePushes(again, 250)).toEqual(number(1, 250));
    await sendLive('live');
    expect(await takePushes(again, 1)).toEqual(['live']);
    await flush(again);
    expect(again.received).toEqual([]);
  });

  test('gets messages that arrive during the replay after the older ones, and once', async () => {
    const phone = await connect();
    await join(phone);
    await cut(phone);
    await store('m1', 'm2');
    const again = await connect();
    // The room is joined again by now, and its replay has not begun.
    await sendLive('m3');
    await sendLive('m4');
    expect(await takePushes(again, 4)).toEqual(number(1, 4));
    await flush(again);
    expect(again.received).toEqual([]);
  });

  test('hears its rooms after another device of the identity has left them', async () => {
    const [phone, laptop] = [await connect(), await connect()];
    await join(phone);
    await join(laptop);
    laptop.event('leaveRoom', room);
    await laptop.waitFor('leftRoom');
    await cut(phone);
    await store('missed');
    const again = await connect();
    expect(await takePushes(again, 1)).toEqual(['missed']);
    await sendLive('live');
    expect(await takePushes(again, 1)).toEqual(['live']);
    await flush(laptop);
    expect(laptop.received).toEqual([]);
  });

  test('hears all its boxes, and gets what was stored since, while rooms may have been lost', async () => {
    await store('before the loss');
    const position = await live.context.store.findNewestId();
    await store('m1', 'm2');
    const other = new RawClient();
    await live.context.store.storeMessages([{ ...toMessage('of another'), recipient: other.identityKey }]);
    jest.spyOn(live.context.memory, 'findLoss').mockResolvedValue(position);
    const again = await connect();
    expect(await takePushes(again, 2)).toEqual(number(1, 2));
    await sendLive('live');
    expect(await takePushes(again, 1)).toEqual(['live']);
    await flush(again);
    expect(again.received).toEqual([]);
  });

  test('gets what was stored since a loss that is earlier than what the room memory knows', async () => {
    const phone = await connect();
    await join(phone);
    await cut(phone);
    await store('m1', 'm2');
    jest
      .spyOn(live.context.memory, 'recall')
      .mockResolvedValue([{ room, since: await live.context.store.findNewestId() }]);
    jest.spyOn(live.context.memory, 'findLoss').mockResolvedValue(0);
    expect(await takePushes(await connect(), 2)).toEqual(number(1, 2));
  });

  test('hears no room that it has left', async () => {
    const phone = await connect();
    await join(phone);
    phone.event('leaveRoom', room);
    await phone.waitFor('leftRoom');
    await cut(phone);
    await store('missed');
    const again = await connect();
    await sendLive('live');
    await join(again, `${client.identityKey}-other`);
    expect(again.received).toEqual([]);
    expect(await live.metrics()).toMatch(/^messagebox_replayed_messages_total\{.*\} 0$/m);
  });

  test.each([
    ['before it says who it is', ['joinRoom', 'authenticated']],
    ['at the same time', ['authenticated', 'joinRoom']],
    ['after that', ['authenticated']],
  ])('gets no replay of a room that it joins for the first time %s', async (_when, events) => {
    await store('stored before');
    await waitForScan();
    const phone = await connect(client, events);
    await phone.waitFor('authenticationSuccess');
    if (events.includes('joinRoom')) await phone.waitFor('joinedRoom');
    else await join(phone);
    // A replay would hold it back until its end.
    await sendLive('live');
    expect(await takePushes(phone, 1)).toEqual(['live']);
    expect(phone.received).toEqual([]);
  });

  test.each([
    ['before it says who it is', ['joinRoom', 'authenticated']],
    ['at the same time', ['authenticated', 'joinRoom']],
  ])('gets what was stored since, in order and once, when it joins its room itself %s', async (_when, events) => {
    const phone = await connect();
    await join(phone);
    await cut(phone);
    await store(...number(1, 150));
    const again = await connect(client, events);
    await again.waitFor('joinedRoom');
    await again.waitFor('authenticationSuccess');
    await sendLive('live');
    expect(await takePushes(again, 151)).toEqual([...number(1, 150), 'live']);
    await flush(again);
    expect(again.received).toEqual([]);
  });

  test('gets live events behind the replay although it has joined its room before the room is recalled', async () => {
    const phone = await connect();
    await join(phone);
    await cut(phone);
    await store('m1', 'm2');
    const { memory } = live.context;
    const recall = memory.recall.bind(memory);
    let go: () => void = () => undefined;
    const mayGo = new Promise<void>((resolve) => {
      go = resolve;
    });
    jest.spyOn(memory, 'recall').mockImplementationOnce(async (...args) => {
      await mayGo;
      return recall(...args);
    });
    const again = await connect(client, ['authenticated', 'joinRoom']);
    await again.waitFor('joinedRoom');
    await sendLive('m3');
    go();
    expect(await takePushes(again, 3)).toEqual(number(1, 3));
    await flush(again);
    expect(again.received.map(({ name }) => name)).toEqual(['authenticationSuccess']);
  });

  test('gets the replay of a room that it has joined itself as soon as the room memory answers', async () => {
    const phone = await connect();
    await join(phone);
    await cut(phone);
    await store('m1', 'm2');
    jest.spyOn(live.context.memory, 'recall').mockRejectedValueOnce(new Error('Redis is away'));
    const again = await connect(client, ['authenticated', 'joinRoom']);
    expect(await takePushes(again, 2)).toEqual(number(1, 2));
  });

  test('gets everything when the store fails in between', async () => {
    const phone = await connect();
    await join(phone);
    await cut(phone);
    await store(...number(1, 150));
    const list = live.context.store.listMessages.bind(live.context.store);
    let calls = 0;
    jest.spyOn(live.context.store, 'listMessages').mockImplementation((query) => {
      calls += 1;
      return calls === 2 ? Promise.reject(new Error('the store is away')) : list(query);
    });
    const again = await connect();
    expect(await takePushes(again, 150)).toEqual(number(1, 150));
    expect(calls).toBe(3);
  });

  test('gets no more than the limit, which is counted, and hears live events after it', async () => {
    jest.replaceProperty(REPLAY_LIMITS, 'restored', { messages: 120, bytes: 1_000_000 } as never);
    const phone = await connect();
    await join(phone);
    await cut(phone);
    await store(...number(1, 121));
    await waitForScan();
    const again = await connect();
    expect(await takePushes(again, 120)).toEqual(number(1, 120));
    await sendLive('live');
    expect(await takePushes(again, 1)).toEqual(['live']);
    expect(await live.metrics()).toMatch(/^messagebox_limits_hit_total\{.*limit="restored_messages".*\} 1$/m);
  });
});

test('a message that arrives live while it is replayed keeps its place', async () => {
  const phone = await connect();
  await store('m1');
  const list = live.context.store.listMessages.bind(live.context.store);
  jest.spyOn(live.context.store, 'listMessages').mockImplementationOnce(async (query) => {
    await sendLive('m2');
    await store('m3');
    return list(query);
  });
  phone.event('joinRoom', { roomId: room, after: '0' });
  expect(await takePushes(phone, 3)).toEqual(number(1, 3));
  await phone.waitFor('roomRecovered');
  await flush(phone);
  expect(phone.received.map(({ name }) => name)).toEqual(['joinedRoom']);
});

describe('a client that asks', () => {
  const ask = (socket: RawSocket, after: unknown, more: object = {}) =>
    socket.event('joinRoom', { roomId: room, after, ...more });

  test('gets everything after its cursor, and then the end', async () => {
    const results = await live.context.store.storeMessages(number(1, 250).map((id) => toMessage(id)));
    const phone = await connect();
    ask(phone, '0');
    expect((await phone.waitFor('joinedRoom')).data).toEqual({ roomId: room });
    expect(await takePushes(phone, 250)).toEqual(number(1, 250));
    expect(await phone.waitFor('roomRecovered')).toEqual({
      signed: true,
      name: 'roomRecovered',
      data: { roomId: room, after: results.at(-1)?.cursor, complete: true, skipped: 0 },
    });
    expect(phone.received).toEqual([]);
    await sendLive('live');
    expect(await takePushes(phone, 1)).toEqual(['live']);
  });

  test('continues behind the limit where the answer says', async () => {
    const limit = REPLAY_LIMITS.asked.messages;
    const ids = number(1, limit + 50);
    const results = await live.context.store.storeMessages(ids.map((id) => toMessage(id)));
    const phone = await connect();
    ask(phone, '0');
    expect(await takePushes(phone, limit)).toEqual(ids.slice(0, limit));
    const after = results[limit - 1]?.cursor;
    const first = await phone.waitFor('roomRecovered');
    expect(first.data).toEqual({ roomId: room, after, complete: false, skipped: 0 });
    expect(phone.received.map(({ name }) => name)).toEqual(['joinedRoom']);
    ask(phone, after);
    expect(await takePushes(phone, 50)).toEqual(ids.slice(limit));
    const second = await phone.waitFor('roomRecovered');
    expect(second.data).toEqual({ roomId: room, after: results.at(-1)?.cursor, complete: true, skipped: 0 });
  });

  test('is not sent again what it has received on this connection', async () => {
    await store('m1');
    await waitForScan();
    const phone = await connect();
    await join(phone);
    await sendLive('m2');
    expect(await takePushes(phone, 1)).toEqual(['m2']);
    for (const expected of [['m1'], []]) {
      ask(phone, '0');
      expect(await takePushes(phone, expected.length)).toEqual(expected);
      expect((await phone.waitFor('roomRecovered')).data).toMatchObject({ complete: true });
    }
    expect(phone.received.filter(({ name }) => name.startsWith('sendMessage-'))).toEqual([]);
  });

  test('is told how many messages it must list: paid ones and large ones', async () => {
    const [paid, large] = [
      toMessage('paid', '{"message":"hello","payment":{"tx":[1]}}'),
      toMessage('large', 'x'.repeat(100_001)),
    ];
    await live.context.store.storeMessages([
      toMessage('m1'),
      paid,
      large,
      toMessage('m2', '{"message":"{\\"message\\":1}"}'),
    ]);
    const phone = await connect();
    ask(phone, '0');
    expect(await takePushes(phone, 1)).toEqual(['m1']);
    const { data } = await phone.waitFor(`sendMessage-${room}`);
    expect(data).toMatchObject({ messageId: 'm2', body: '{"message":1}', sender, messageBox: 'inbox' });
    expect((await phone.waitFor('roomRecovered')).data).toMatchObject({ complete: true, skipped: 2 });
  });

  test('gets live messages of the time of the replay behind it', async () => {
    await store('m1', 'm2');
    const phone = await connect();
    const list = live.context.store.listMessages.bind(live.context.store);
    jest.spyOn(live.context.store, 'listMessages').mockImplementationOnce(async (query) => {
      const page = await list(query);
      // Committed too late for the page.
      await sendLive('m3');
      return page;
    });
    ask(phone, '0');
    expect(await takePushes(phone, 3)).toEqual(number(1, 3));
    expect((await phone.waitFor('roomRecovered')).data).toMatchObject({ complete: true });
    await flush(phone);
    expect(phone.received.map(({ name }) => name)).toEqual(['joinedRoom']);
  });

  test('gets a message that is replayed before its event arrives once', async () => {
    const [result] = await live.context.store.storeMessages([toMessage('m1')]);
    const phone = await connect();
    ask(phone, '0');
    expect(await takePushes(phone, 1)).toEqual(['m1']);
    await phone.waitFor('roomRecovered');
    live.realtime.publisher.publish({ ...toMessage('m1'), cursor: result?.cursor });
    await flush(phone);
    expect(phone.received.map(({ name }) => name)).toEqual(['joinedRoom']);
  });

  test('may leave the room during the replay, which ends it', async () => {
    await store(...number(1, 150));
    const phone = await connect();
    const list = live.context.store.listMessages.bind(live.context.store);
    const spy = jest.spyOn(live.context.store, 'listMessages').mockImplementationOnce(async (query) => {
      const page = await list(query);
      phone.event('leaveRoom', room);
      await phone.waitFor('leftRoom');
      return page;
    });
    ask(phone, '0');
    expect((await phone.waitFor('roomRecovered')).data).toMatchObject({ complete: false });
    expect(phone.received.map(({ name }) => name)).toEqual(['joinedRoom']);
    expect(spy).toHaveBeenCalledTimes(1);
  });

  test('is told that the replay is not complete when the store fails', async () => {
    await store('m1');
    jest.spyOn(live.context.store, 'listMessages').mockRejectedValueOnce(new Error('the store is away'));
    const phone = await connect();
    ask(phone, '0');
    const { data } = await phone.waitFor('roomRecovered');
    expect(data).toEqual({ roomId: room, after: '0', complete: false, skipped: 0 });
    ask(phone, '0');
    expect(await takePushes(phone, 1)).toEqual(['m1']);
    expect((await phone.waitFor('roomRecovered')).data).toMatchObject({ complete: true });
  });

  test.each([
    ['is null', null],
    ['is a number', 5],
    ['is an object', { toString: 'x' }],
    ['is negative', '-1'],
    ['is no whole number', '1.5'],
    ['is hexadecimal', '0x10'],
    ['is empty', ''],
    ['has 19 digits', '1'.repeat(19)],
    ['is huge', '1'.repeat(100_000)],
  ])('is refused when the cursor %s, and joins nothing', async (_what, after) => {
    await store('m1');
    const phone = await connect();
    ask(phone, after);
    expect((await phone.waitFor('joinFailed')).data).toEqual({
      reason: 'after must be the cursor of a message, or 0 for all messages.',
      roomId: room,
      code: 'ERR_INVALID_AFTER',
    });
    await sendLive('live');
    await flush(phone);
    expect(phone.received).toEqual([]);
    expect(await live.context.memory.recall(client.identityKey)).toEqual([]);
  });

  test.each<[string, unknown, string, string | undefined]>([
    ['of another identity', `${sender}-inbox`, 'ERR_WEBSOCKET_ROOM_NOT_OWNED', `${sender}-inbox`],
    ['without a box', 'inbox', 'ERR_WEBSOCKET_INVALID_ROOM', 'inbox'],
    ['that is an object', { roomId: 'x' }, 'ERR_WEBSOCKET_INVALID_ROOM', undefined],
    ['that is missing', undefined, 'ERR_WEBSOCKET_INVALID_ROOM', undefined],
    ['that is huge', 'x'.repeat(100_000), 'ERR_WEBSOCKET_INVALID_ROOM', undefined],
  ])('is refused for a room %s', async (_what, roomId, code, echoed) => {
    const phone = await connect();
    phone.event('joinRoom', { roomId, after: '0' });
    const { data } = await phone.waitFor('joinFailed');
    expect(data).toMatchObject({ code });
    expect((data as { roomId?: string }).roomId).toBe(echoed);
    await flush(phone);
    expect(phone.received).toEqual([]);
  });

  test('may add unknown fields, which have no effect', async () => {
    await store('m1');
    const phone = await connect();
    ask(phone, '0', { limit: 1e9, junk: 'x'.repeat(5_000) });
    expect(await takePushes(phone, 1)).toEqual(['m1']);
    expect((await phone.waitFor('roomRecovered')).data).toMatchObject({ complete: true });
  });

  test('is refused when the connection has too many replays in progress, and may ask again later', async () => {
    const phone = await connect();
    const list = live.context.store.listMessages.bind(live.context.store);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    jest.spyOn(live.context.store, 'listMessages').mockImplementation(async (query) => {
      await held;
      return list(query);
    });
    const rooms = Array.from({ length: REPLAY_LIMITS.askedPerSocket + 1 }, (_, i) => `${client.identityKey}-${i}`);
    for (const roomId of rooms) phone.event('joinRoom', { roomId, after: '0' });
    expect((await phone.waitFor('joinFailed')).data).toEqual({
      reason: 'Too many replays are in progress for this connection or identity. Try again later.',
      roomId: rooms.at(-1),
      code: 'ERR_TOO_MANY_REPLAYS',
    });
    expect(await live.metrics()).toMatch(/^messagebox_limits_hit_total\{.*limit="replays".*\} 1$/m);
    release();
    for (const _ of rooms.slice(1)) await phone.waitFor('roomRecovered');
    phone.event('joinRoom', { roomId: rooms.at(-1), after: '0' });
    expect((await phone.waitFor('roomRecovered')).data).toMatchObject({ roomId: rooms.at(-1), complete: true });
  });

  test('shares the limit of replays with the other connections of its identity', async () => {
    const sockets = await Promise.all(Array.from({ length: 5 }, () => connect()));
    jest.spyOn(live.context.store, 'findEarlierId').mockReturnValue(new Promise(() => undefined));
    for (const [i, socket] of sockets.slice(0, 4).entries()) {
      for (let j = 0; j < REPLAY_LIMITS.askedPerSocket; j++) {
        socket.event('joinRoom', { roomId: `${client.identityKey}-${i}-${j}`, after: '0' });
        await socket.waitFor('joinedRoom');
      }
    }
    const last = sockets.at(-1) as RawSocket;
    ask(last, '0');
    expect((await last.waitFor('joinFailed')).data).toMatchObject({ code: 'ERR_TOO_MANY_REPLAYS' });
    // Others are not affected.
    const other = new RawClient();
    const stranger = await connect(other);
    stranger.event('joinRoom', { roomId: `${other.identityKey}-inbox`, after: '0' });
    await stranger.waitFor('joinedRoom');
  });
});
