import { DEFAULT_JSON_LIMITS } from '@messagebox/brc103';
import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { type LiveServer, startLiveServer } from './support/live-server.js';

/** Unfinished events that one connection may have. Further ones are refused with an answer. */
const UNDER_WAY = 8;
const BEYOND = 5;
let live: LiveServer;
let socket: RawSocket;
let release: () => void;
const client = new RawClient();
beforeEach(async () => {
  live = await startLiveServer({ MAX_EVENTS_UNDER_WAY_PER_SOCKET: `${UNDER_WAY}` });
  socket = await RawSocket.proven(live.url, client);
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { broker, store } = live.context;
  const storeMessages = store.storeMessages.bind(store);
  jest.spyOn(broker, 'waitUntilReady').mockReturnValue(held);
  jest.spyOn(store, 'storeMessages').mockImplementation(async (...args) => {
    await held;
    return await storeMessages(...args);
  });
});
afterEach(async () => {
  socket.close();
  await live.close();
});

const expectNoMore = async () => {
  socket.event('joinRoom', `${client.identityKey}-alive`);
  await socket.waitFor('joinedRoom');
  expect(socket.received).toEqual([]);
};

test.each([
  ['joinRoom', 'joinedRoom', 'joinFailed'],
  ['leaveRoom', 'leftRoom', 'leaveFailed'],
])('refuses %s with an answer when too many events are unfinished', async (eventName, done, failed) => {
  const room = `${client.identityKey}-crowded`;
  // The join waits for the broker, and later events of the same room wait for the join.
  socket.event('joinRoom', room);
  for (let i = 1; i < UNDER_WAY + BEYOND; i++) socket.event(eventName, room);
  for (let i = 0; i < BEYOND; i++) {
    expect((await socket.waitFor(failed)).data).toEqual({
      reason: 'This connection has too many unfinished events. Try again later.',
      code: 'ERR_TOO_MANY_REQUESTS',
      roomId: room,
    });
  }
  release();
  await socket.waitFor('joinedRoom');
  for (let i = 1; i < UNDER_WAY; i++) await socket.waitFor(done);
  await expectNoMore();
  expect(await live.metrics()).toMatch(/^messagebox_limits_hit_total\{.*limit="events_under_way".*\} 5$/m);
});

/** Together with the event, its data and the message this is as deep as a frame may be. */
const DEPTH = DEFAULT_JSON_LIMITS.depth - 3;
const deep = '['.repeat(DEPTH) + ']'.repeat(DEPTH);
test.each<[string, string, string | undefined]>([
  ['an id', '"flood"', 'flood'],
  ['an id of 10 KB', JSON.stringify('i'.repeat(10_240)), undefined],
  ['an id of deep JSON', deep, undefined],
  ['an id that is an object', '{"toJSON":1}', undefined],
])('refuses a send with %s with an error ack when too many events are unfinished', async (_name, id, echoed) => {
  const { session } = socket;
  if (session === undefined) throw new Error('no session');
  const roomId = `${new RawClient().identityKey}-flood`;
  const send = (messageId: string) => {
    const data = `{"roomId":"${roomId}","message":{"messageId":${messageId},"body":"b"}}`;
    socket.send(session.frame(Buffer.from(`{"eventName":"sendMessage","data":${data}}`)));
  };
  for (let i = 0; i < UNDER_WAY; i++) send(`"taken ${i}"`);
  for (let i = 0; i < BEYOND; i++) send(id);
  const description = 'This connection has too many unfinished events. Try again later.';
  const messageId = echoed === undefined ? {} : { messageId: echoed };
  for (let i = 0; i < BEYOND; i++) {
    const told = { code: 'ERR_TOO_MANY_REQUESTS', ...messageId };
    expect((await socket.waitFor('messageFailed')).data).toEqual({ reason: description, ...told });
    expect((await socket.waitFor(`sendMessageAck-${roomId}`)).data).toEqual({ status: 'error', description, ...told });
  }
  release();
  for (let i = 0; i < UNDER_WAY; i++) {
    const ack = await socket.waitFor(`sendMessageAck-${roomId}`);
    expect(ack.data).toEqual({ status: 'success', messageId: `taken ${i}` });
  }
  await expectNoMore();
});
