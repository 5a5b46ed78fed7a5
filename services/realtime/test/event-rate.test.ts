import { RawClient, RawSocket } from '../../../tests/bad-input/raw-client.ts';
import { type LiveServer, startLiveServer } from './support/live-server.js';

/** Every event of an identity is counted, whatever it asks for. `authenticated` was the first of each test. */
let live: LiveServer;
let socket: RawSocket;
const client = new RawClient();
const room = `${client.identityKey}-inbox`;
beforeEach(async () => {
  live = await startLiveServer({ RATE_EVENTS_PER_IDENTITY: '5/3600s' });
  socket = await RawSocket.proven(live.url, client);
});
afterEach(async () => {
  socket.close();
  await live.close();
});

const tooMany = { reason: 'Too many events of this identity. Try again later.', code: 'ERR_TOO_MANY_REQUESTS' };

test.each<[string, unknown, string, Record<string, unknown>]>([
  ['authenticated', { identityKey: client.identityKey }, 'authenticationFailed', {}],
  ['joinRoom', room, 'joinFailed', { roomId: room }],
  ['leaveRoom', room, 'leaveFailed', { roomId: room }],
  ['sendMessage', { roomId: room, message: { messageId: 'a', body: 'b' } }, 'messageFailed', { messageId: 'a' }],
])('%s beyond the rate is refused, and has no effect', async (name, data, failure, echoed) => {
  socket.event('authenticated', { identityKey: client.identityKey });
  await socket.take('authenticationSuccess');
  socket.event(name, data);
  expect(await socket.take(failure)).toEqual({ signed: true, name: failure, data: { ...tooMany, ...echoed } });
  const { identityKey: recipient } = client;
  const page = await live.foundation.store.listMessages({ recipient, messageBox: 'inbox', limit: 1, maxBytes: 1_000 });
  expect(page.messages).toEqual([]);
  expect(await live.foundation.memory.recall(client.identityKey)).toEqual([]);
  expect(await live.metrics()).toMatch(/^messagebox_limits_hit_total\{.*limit="events".*\} 1$/m);
});

test('events of unknown names count', async () => {
  for (let i = 0; i < 2; i++) socket.event('no such event', { i });
  socket.event('joinRoom', room);
  expect(await socket.take('joinFailed')).toMatchObject({ data: tooMany });
});

test('one identity does not use up what another has', async () => {
  for (let i = 0; i < 3; i++) socket.event('joinRoom', room);
  await socket.take('joinFailed');
  const other = await RawSocket.proven(live.url, new RawClient());
  expect(other.connected).toBe(true);
  other.close();
});

test('rooms are restored once for a connection, however often its client says who it is', async () => {
  const recall = jest.spyOn(live.foundation.memory, 'recall');
  const second = new RawClient();
  const other = await RawSocket.proven(live.url, second);
  other.event('authenticated', { identityKey: second.identityKey });
  await other.take('authenticationSuccess');
  expect(recall).toHaveBeenCalledTimes(1);
  other.close();
});
