import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { type LiveServer, startLiveServer } from './support/live-server.js';

/** Events cost 4, sends and unknown events cost 1. Each test begins with `authenticated`, so one unit is left. */
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

const tooMany = { reason: 'This identity sends too many events. Try again later.', code: 'ERR_TOO_MANY_REQUESTS' };

test.each<[string, unknown, string, Record<string, unknown>]>([
  ['authenticated', { identityKey: client.identityKey }, 'authenticationFailed', {}],
  ['joinRoom', room, 'joinFailed', { roomId: room }],
  ['leaveRoom', room, 'leaveFailed', { roomId: room }],
  ['sendMessage', { roomId: room, message: { messageId: 'a', body: 'b' } }, 'messageFailed', { messageId: 'a' }],
])('refuses %s beyond the rate without any effect', async (name, data, failure, echoed) => {
  socket.event('authenticated', { identityKey: client.identityKey });
  await socket.waitFor('authenticationSuccess');
  socket.event(name, data);
  expect(await socket.waitFor(failure)).toEqual({ signed: true, name: failure, data: { ...tooMany, ...echoed } });
  const { identityKey: recipient } = client;
  const page = await live.context.store.listMessages({ recipient, messageBox: 'inbox', limit: 1, maxBytes: 1_000 });
  expect(page.messages).toEqual([]);
  expect(await live.context.memory.recall(client.identityKey)).toEqual([]);
  expect(await live.metrics()).toMatch(/^messagebox_limits_hit_total\{.*limit="events".*\} 1$/m);
});

test('counts events with unknown names', async () => {
  for (let i = 0; i < 2; i++) socket.event('no such event', { i });
  socket.event('joinRoom', room);
  expect(await socket.waitFor('joinFailed')).toMatchObject({ data: tooMany });
});

test('one identity does not use up the rate of another', async () => {
  for (let i = 0; i < 3; i++) socket.event('joinRoom', room);
  await socket.waitFor('joinFailed');
  const other = await RawSocket.proven(live.url, new RawClient());
  expect(other.connected).toBe(true);
  other.close();
});

test('restores rooms once for each connection, however often its client authenticates', async () => {
  const recall = jest.spyOn(live.context.memory, 'recall');
  const second = new RawClient();
  const other = await RawSocket.proven(live.url, second);
  other.event('authenticated', { identityKey: second.identityKey });
  await other.waitFor('authenticationSuccess');
  expect(recall).toHaveBeenCalledTimes(1);
  other.close();
});
